"""Which files are written: never one that somebody else wrote, and all of them or none.

A module of models belongs to the generator and is written anew, as long as its first line says so.
Handlers and tests belong to whoever fills them in: they are completed when asked, and overwritten
only by force.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from workers.codegen.imports import Import
from workers.codegen.present import UnreadableModuleError, parse
from workers.codegen.types import GENERATED


class FileRefusedError(Exception):
    """A file may not be written as asked."""


@dataclass(frozen=True)
class Consent:
    """What may happen to handlers and tests that exist."""

    append: bool = False
    force: bool = False


@dataclass(frozen=True)
class NewFile:
    """A file to be written, with its whole text."""

    path: Path
    text: str


def check_models(path: Path, consent: Consent) -> None:
    """Refuse to overwrite a module of models that was not generated."""
    if not path.exists() or consent.force:
        return
    if read(path).partition("\n")[0] != GENERATED:
        raise FileRefusedError(
            f"{path} was not generated, so it is not overwritten. Write to another place, or say "
            "--force to lose it."
        )


def existing_source(path: Path, consent: Consent) -> str | None:
    """Return the source to be completed; None when the file is to be written anew."""
    if not path.exists() or consent.force:
        return None
    if consent.append:
        return read_python(path)
    raise FileRefusedError(
        f"{path} exists. Say --append to add what is missing, or --force to overwrite it."
    )


def read(path: Path) -> str:
    """Return the text of a file; raises FileRefusedError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefusedError(f"{path} cannot be read: {error}") from error


def read_python(path: Path) -> str:
    """Return the source of a module; raises FileRefusedError when it is none."""
    source = read(path)
    try:
        parse(source)
    except UnreadableModuleError as error:
        raise FileRefusedError(f"{path} is no Python, nothing can be added: {error}.") from error
    return source


def write_all(files: Iterable[NewFile]) -> None:
    """Write files, and the folders they need; raises FileRefusedError."""
    for each in files:
        try:
            each.path.parent.mkdir(parents=True, exist_ok=True)
            each.path.write_text(each.text, encoding="utf-8")
        except OSError as error:
            raise FileRefusedError(f"Cannot write {each.path}: {error.strerror}") from error


def import_of_file(path: Path) -> Import:
    """Return the import that gives the module in a file, by the packages the file is in."""
    if not path.stem.isidentifier():
        raise FileRefusedError(f"{path.name} cannot be imported: name it like a Python module.")
    packages: list[str] = []
    folder = path.resolve().parent
    while (folder / "__init__.py").is_file():
        packages.insert(0, folder.name)
        folder = folder.parent
    return Import(".".join(packages), path.stem) if packages else Import(path.stem)
