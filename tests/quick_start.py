"""README's quick starts, done as they stand: in a copy of the project, by its own lines.

What a reader would do by himself is done here: save the files that the text shows, and put the
address that `make dev` prints in the place of `localhost:8080` where that port was taken.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.marked_command import MarkedCommand
from tests.processes import PROJECT, wait_until

README = (PROJECT / "README.md").read_text(encoding="utf-8")
COPIED = (
    *("manage.py", "Makefile", "pyproject.toml", "requirements"),
    *("templates_registry", "orchestration", "workers", "tasker_project"),
)
FILES = re.compile(r"^`(tea/[^`]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
USUAL = "localhost:8080"
OF_TESTS = ("DATABASE_", "TASKER_", "DJANGO_")
OF_READER = {name: v for name, v in os.environ.items() if not name.startswith(OF_TESTS)}


def section(title: str) -> str:
    """Return the text below a heading of README, up to the next heading."""
    [_, found] = re.split(rf"^##+ {re.escape(title)}$", README, flags=re.MULTILINE)
    return re.split(r"^##+ ", found, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(title: str, language: str) -> list[str]:
    """Return the fenced code of a section."""
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return fence.findall(section(title))


class QuickStart:
    """A copy of the project in which a reader follows README."""

    def __init__(self, folder: Path) -> None:
        """Copy the project, do everything up to `make dev`, and start that."""
        self.folder = folder
        for name in COPIED:
            source = PROJECT / name
            if source.is_dir():
                shutil.copytree(source, folder / name)
            else:
                shutil.copy2(source, folder / name)
        (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
        prepare, start = blocks("Your first workflow, in five minutes", "sh")
        *checks, make = start.splitlines()
        self._run(prepare)
        for path, text in FILES.findall(section("Your first workflow, in five minutes")):
            (folder / path).write_text(text)
        self.said = self._run("\n".join(checks))
        self.dev = self._make(*make.split())
        self.admin = self.password = ""

    def wait(self) -> None:
        """Wait until everything runs and has told its addresses."""
        self.admin = self.dev.says(r"admin (http://\S+)", within=120)
        self.password = self.dev.says(r"admin user 'admin', password (\S+)")

    def _make(self, *words: str) -> MarkedCommand:
        return MarkedCommand(
            self.folder / ".data",
            *words[1:],
            program=words[:1],
            folder=self.folder,
            TASKER_ENV="development",
            MAKEFLAGS="--old-file=.venv/ready",  # the packages are installed
            ARGS="--port 0",
        )

    def _run(
        self, lines: str, *, typed: str = "", environment: Mapping[str, str] | None = None
    ) -> str:
        return subprocess.run(
            ["/bin/bash", "-ec", lines],
            cwd=self.folder,
            check=True,
            text=True,
            input=typed,
            env=environment or OF_READER,
            stdout=subprocess.PIPE,
        ).stdout

    def follow(self, lines: str) -> str:
        """Run lines of a shell and return what they print."""
        return self._run(lines.replace(USUAL, urlsplit(self.admin).netloc))

    def type_in(self, command: str, text: str) -> str:
        """Start a command, type something in, and return what it prints."""
        return self._run(command, typed=text, environment=self.dev.environment)


@contextmanager
def following_readme(folder: Path) -> Iterator[QuickStart]:
    """Follow the first quick start in an empty folder; everything is ended afterwards."""
    reader = QuickStart(folder)
    try:
        reader.wait()
        yield reader
    finally:
        reader.dev.end()
    wait_until(reader.dev.is_gone, within=60)
