"""Names of generated functions, parameters, fields and classes.

A name that is one in Python already is kept as written. Anything else gets a clean name, and a
second one of the same name a number.
"""

import builtins
import keyword
import re
import unicodedata
from collections.abc import Callable, Container, Iterable

LONGEST = 70  # letters; a line must hold more than a name
TAKEN_BY_PYTHON = frozenset([*keyword.kwlist, *dir(builtins)])
_LANGUAGE = re.compile(r"_(py|python|rb|ruby|ts|typescript|rs|rust)$")


class Names:
    """Names of one scope, each given out once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def take(self, wanted: str, *, separator: str = "_") -> str:
        """Return the name, with a number behind it when it was given out before."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}{separator}{number}"
        self._taken.add(name)
        return name


def distinct(
    texts: Iterable[str],
    wanted: Callable[[str], str],
    *,
    taken: Iterable[str] = (),
    separator: str = "_",
) -> dict[str, str]:
    """Return a name of its own for each text; those that are names already keep theirs."""
    texts = list(texts)
    names = Names(taken)
    kept = [text for text in texts if wanted(text) == text and text not in names]
    found = {text: names.take(text) for text in kept}
    found |= {
        text: names.take(wanted(text), separator=separator) for text in texts if text not in found
    }
    return {text: found[text] for text in texts}


def identifier(text: str, *, otherwise: str = "step") -> str:
    """Return a text as an identifier: itself, or a clean form of it."""
    name = unicodedata.normalize("NFKC", text)
    if not name.isidentifier() or name.startswith("__"):
        name = "_".join(_words(name))
    name = name[:LONGEST]
    if not name.strip("_"):
        return otherwise
    return name if name.isidentifier() else f"{otherwise}_{name}"


def variable(text: str, *, avoid: Container[str] = TAKEN_BY_PYTHON, otherwise: str = "step") -> str:
    """Return a text as the name of a function, parameter or field, none of those to avoid."""
    name = identifier(text, otherwise=otherwise)
    return f"{name}_" if name in avoid else name


def class_name(*texts: str) -> str:
    """Return texts as one name in PascalCase."""
    words = [word for text in texts for word in _words(unicodedata.normalize("NFKC", text))]
    name = "".join(word[0].upper() + word[1:] for word in words)
    return (name if name.isidentifier() else f"Step{name}")[:LONGEST]


def _words(text: str) -> list[str]:
    """Return what of a text can stand in a name, cut at anything else and at underscores."""
    letters = (each if f"_{each}".isidentifier() and each != "_" else " " for each in text)
    return "".join(letters).split()


def without_language(namespace: str) -> str:
    """Return a namespace without the suffix that names a programming language."""
    return _LANGUAGE.sub("", namespace)
