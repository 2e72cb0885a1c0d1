"""Which Python holds the interpreter of each process, sampled by py-spy from outside.

Only threads that hold the interpreter lock are seen: what waits for the database costs nothing.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasker_project.bench.listing import Listing
from tasker_project.bench.profile.stacks import Share, Stack, file_of, function_of, parse, shares
from tasker_project.processes import Child

PROGRAM = "py-spy"
SAMPLES_PER_SECOND = 200
MOST_LISTED = 20
END_SECONDS = 15.0
COLUMNS = ("self %", "cumulative %")


@dataclass(frozen=True)
class Sampled:
    """What was seen of one process."""

    name: str
    stacks: list[Stack]
    seconds: float

    @property
    def samples(self) -> int:
        """How often the interpreter was held."""
        return sum(stack.times for stack in self.stacks)


@contextmanager
def sampling(
    children: Sequence[Child], *, folder: Path, say: Callable[[str], None]
) -> Iterator[list[Sampled]]:
    """Sample processes inside the block; the list is filled at its end, as far as possible."""
    found: list[Sampled] = []
    program = _program()
    if program is None:
        say("profile: py-spy is not installed (requirements/dev.txt): no Python is profiled")
        yield found
        return
    began = time.monotonic()
    spies = {child.name: _spy(program, child.pid, folder / child.name) for child in children}
    try:
        yield found
    finally:
        seconds = time.monotonic() - began
        for name, spy in spies.items():
            said = _end(spy)
            raw = folder / f"{name}.raw"
            if raw.exists():
                found.append(Sampled(name, parse(raw.read_text()), seconds))
            else:
                say(f"profile: py-spy saw nothing of {name}: {said}")


def _program() -> str | None:
    """Return py-spy, from our environment or the system's."""
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return shutil.which(PROGRAM, path=os.pathsep.join(places))


def _spy(program: str, pid: int, file: Path) -> "subprocess.Popen[str]":
    """Sample one process until a SIGINT; not stopping it for each sample, which is its work."""
    return subprocess.Popen(  # noqa: S603 - no shell, our own arguments
        [
            *(program, "record", "--pid", str(pid), "--gil", "--nonblocking", "--function"),
            *("--rate", str(SAMPLES_PER_SECOND), "--duration", "86400"),
            *("--format", "raw", "--output", f"{file}.raw"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # a Ctrl-C is ours
    )


def _end(spy: "subprocess.Popen[str]") -> str:
    """Let py-spy write what it saw; return its last line."""
    spy.send_signal(signal.SIGINT)
    try:
        said, _ = spy.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        spy.kill()
        said, _ = spy.communicate()
    return (said.strip().splitlines() or ["not a word"])[-1]


def listings(sampled: Sampled) -> list[Listing]:
    """Return by function and by file what held the interpreter, in percent of the samples."""
    held = sampled.samples / (sampled.seconds * SAMPLES_PER_SECOND) * 100
    title = f"{sampled.name}: Python, {sampled.samples} samples, interpreter held {held:.0f} % by"
    functions, files = (shares(sampled.stacks, name) for name in (function_of, file_of))
    return [
        Listing(f"{title} functions", ("function", *COLUMNS), _rows(functions, sampled, _own)),
        Listing(f"{title} callers", ("function", *COLUMNS), _rows(functions, sampled, _cumulative)),
        Listing(f"{title} files", ("file", *COLUMNS), _rows(files, sampled, _own)),
    ]


def _own(share: Share) -> int:
    return share.own


def _cumulative(share: Share) -> int:
    return share.cumulative


def _rows(
    found: list[Share], sampled: Sampled, order: Callable[[Share], int]
) -> list[tuple[str, float, float]]:
    percent = 100 / max(sampled.samples, 1)
    most = sorted(found, key=order, reverse=True)[:MOST_LISTED]
    return [
        (share.name, round(share.own * percent, 1), round(share.cumulative * percent, 1))
        for share in most
    ]
