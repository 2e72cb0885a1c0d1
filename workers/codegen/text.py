"""Texts of a template as Python: literals, docstrings and comments that stay text.

Whatever a description holds (quotes, backslashes, line breaks, `# noqa`, letters of any script),
what is generated is one literal, docstring or comment and nothing else, and says the same.
"""

import ast
import re
import textwrap
from collections.abc import Iterator

WIDTH = 88  # ruff's and black's default; also right for everybody whose lines are longer

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Letters and signs beyond ASCII that nobody takes for an ASCII one (ruff's RUF001 to RUF003).
_PLAIN = re.compile(
    "[ -~¡-¬®-³µ-·¹-ÖØ-İĲ-ž“”„«»…—€\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]"
)
# What tools read inside comments.
_PRAGMA = re.compile(r"noqa|type\s*:|mypy\s*:|ruff\s*:|fmt\s*:|isort\s*:|pragma|coding", re.I)
# What ruff's S106 takes for a password when a text is assigned to it.
_SECRET = re.compile(r"(^|_)(pas+wo?r?d|pass(phrase)?|pwd|token|secrete?)($|_)", re.I)


def literal(text: str) -> str:
    """Return the string literal of a text, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(each, quote) for each in text) + quote


def pieces(text: str, *, width: int) -> list[str]:
    """Return literals that Python joins to one text, each as narrow as wanted."""
    found, piece = [], ""
    for each in text:
        if piece and len(literal(piece + each)) > width:
            found.append(literal(piece))
            piece = ""
        piece += each
    return [*found, literal(piece)]


def docstring(text: str, *, indent: int, otherwise: str) -> list[str]:
    """Return the lines of a docstring; `otherwise` is its summary when the text fits no line."""
    words = " ".join(text.split()) or otherwise
    sentence = words if words[-1] in ".!?" else f"{words}."
    summary, rest = _summary_and_rest(sentence, room=WIDTH - indent - 6, otherwise=otherwise)
    margin = " " * indent
    end = noqa("RUF002") if not is_plain(summary + rest) else ""
    if not rest:
        return [f'{margin}"""{_in_docstring(summary)}"""{end}']
    body = textwrap.wrap(rest, WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    lines = [f'{margin}"""{_in_docstring(summary)}', ""]
    return [*lines, *(margin + _in_docstring(each) for each in body), f'{margin}"""{end}']


def comment(text: str, *, indent: int) -> list[str]:
    """Return a text as comment lines that no tool takes for code or for an instruction."""
    words = "".join(_visible(each) for each in " ".join(text.split()))
    if _PRAGMA.search(words):
        words = literal(words).replace("#", r"\x23")
    margin = " " * indent + "# "
    width = WIDTH - len(margin)
    body = textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False)
    return [f"{margin}{each}{_excuse(each)}" for each in body]


def _excuse(words: str) -> str:
    codes = ["ERA001"] if _looks_like_code(words) else []
    codes += [] if is_plain(words) else ["RUF003"]
    return noqa(*codes) if codes else ""


def _looks_like_code(words: str) -> bool:
    """Say whether a linter may take a comment for code that was commented out."""
    try:
        ast.parse(words)
    except (SyntaxError, ValueError):
        return words.endswith((":", ",", "(", "[", "{")) or words.startswith(("@", ")", "]", "}"))
    return True


def is_plain(text: str) -> bool:
    """Say whether no character of a text can be taken for an ASCII one."""
    return all(_PLAIN.match(each) for each in text)


def may_be_secret(name: str) -> bool:
    """Say whether a linter may take a text given to this name for a password."""
    return _SECRET.search(name) is not None


def noqa(*codes: str) -> str:
    """Return the comment that lets a line pass, whether or not a project wants these rules."""
    return f"  # noqa: {', '.join([*codes, 'RUF100'])}"


def _escaped(letter: str, quote: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter == quote:
        return "\\" + letter
    return letter if _PLAIN.match(letter) else _as_code(letter)


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else _as_code(letter)


def _as_code(letter: str) -> str:
    number = ord(letter)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _in_docstring(text: str) -> str:
    return "".join(_docstring_letters(text))


def _docstring_letters(text: str) -> Iterator[str]:
    """Yield the letters; a quote is escaped where it could begin or end a docstring."""
    for place, letter in enumerate(text):
        if letter == "\\":
            yield "\\\\"
        elif letter == '"' and (place == 0 or '""' in text):
            yield '\\"'
        else:
            yield _visible(letter)


def _summary_and_rest(text: str, *, room: int, otherwise: str) -> tuple[str, str]:
    """Return what stands on the first line, and what below it."""
    if len(_in_docstring(text)) <= room:
        return text, ""
    first, stop, rest = text.partition(". ")
    if stop and len(_in_docstring(first)) < room:
        return f"{first}.", rest
    return otherwise, text
