"""What docker/Dockerfile makes, made in a folder by its own steps: for tests without an engine.

COPY, ENV and RUN of the last stage are carried out as they stand, with the folder in the place of
`/app`. Left out are the packages (the tests' own stand in for the first stage) and the user.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.processes import PROJECT, ChildProcess

DOCKERFILE = PROJECT / "docker" / "Dockerfile"
LEFT_OUT = ("useradd ",)


class Step(NamedTuple):
    """One instruction of a Dockerfile."""

    word: str
    rest: str

    def paths(self) -> tuple[list[str], str]:
        """Return the sources of a COPY, none of another stage's, and its target."""
        *sources, target = self.rest.split()
        return ([] if sources[0].startswith("--from") else sources), target


def stages(dockerfile: Path) -> list[list[Step]]:
    """Return the instructions of each stage."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    found: list[list[Step]] = [[]]
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        step = Step(*line.split(maxsplit=1))
        if step.word == "FROM":
            found.append([])
        found[-1].append(step)
    return found[1:]


class Image:
    """The folder and the environment that a container would have."""

    def __init__(self, folder: Path) -> None:
        """Carry out the steps of the last stage."""
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        for step in stages(DOCKERFILE)[-1]:
            carry_out = {"ENV": self._set, "COPY": self._copy, "RUN": self._run}.get(step.word)
            if carry_out:
                carry_out(step)

    def start(self, *arguments: str, **environment: str) -> ChildProcess:
        """Start a role as `docker run` would."""
        program = [str(self.folder / "docker" / "entrypoint.sh")]
        given = {**self.environment, **environment}
        return ChildProcess(program, arguments, environment=given, folder=self.folder)

    def files(self) -> set[Path]:
        """Return every file there is."""
        return {path for path in self.folder.rglob("*") if path.is_file()}

    def _set(self, step: Step) -> None:
        for name, value in self._variables(step):
            self.environment[name] = value

    def _variables(self, step: Step) -> Iterator[tuple[str, str]]:
        for each in shlex.split(step.rest):
            name, _, value = each.partition("=")
            value = value.replace("/opt/tasker/bin", str(Path(sys.executable).parent))
            value = value.replace("/app", str(self.folder)).replace("$PATH", os.environ["PATH"])
            yield name, value

    def _copy(self, step: Step) -> None:
        sources, target = step.paths()
        for source in sources:
            path = PROJECT / source
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(path, self.folder / target, ignore=ignored)
            else:
                (self.folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, self.folder / target)

    def _run(self, step: Step) -> None:
        if step.rest.startswith(LEFT_OUT):
            return
        subprocess.run(
            ["/bin/sh", "-ec", step.rest], cwd=self.folder, env=self.environment, check=True
        )
