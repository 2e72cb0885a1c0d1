"""Child processes of one command: started together, watched, and never left behind.

`dev`, `demo` and `bench` run the real commands as children. Every child leads a session of its own,
so a Ctrl-C reaches the parent alone and the parent ends the children in order: the last one started
stops first. Where the parent cannot do so any more (kill -9), Linux asks the children to stop.

Why no process library: honcho left PostgreSQL running (design, stack.md).
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from django.conf import settings

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 15.0
LAST_LINES = 40
LAST_BYTES = 64 * 1024
LOOK_SECONDS = 0.02
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ChildDied(Exception):  # noqa: N818 - an event, and the name says which
    """A child ended although nobody asked it to."""


class Child:
    """One running command and the last lines it said."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        show: Callable[[str, str], None],
        log_file: Path | None = None,
    ) -> None:
        """Start the command; `show(name, line)` gets every line, from a thread.

        With a log file the lines go there instead, and cost the parent nothing.
        """
        self.name = name
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._show = show
        self._log_file = log_file
        out = log_file.open("wb") if log_file else None
        self._process = subprocess.Popen(  # noqa: S603 - no shell, our own arguments
            arguments,
            cwd=settings.BASE_DIR,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=out or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )
        if out is not None:
            out.close()
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, name=f"output-{name}", daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.poll()

    @property
    def last_lines(self) -> list[str]:
        """What it said last."""
        if self._log_file is None:
            return list(self._lines)
        with self._log_file.open("rb") as log:  # may be large: only its end is read
            log.seek(max(self._log_file.stat().st_size - LAST_BYTES, 0))
            return log.read().decode(errors="replace").splitlines()[-LAST_LINES:]

    def ask(self) -> None:
        """Ask the command to stop; return at once."""
        if self.exit_code is None:
            self._process.terminate()

    def kill(self) -> None:
        """End whatever is left of the command and of the processes it started."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def stop(self, *, within: float = GRACE_SECONDS) -> None:
        """Ask the command to stop, wait, and kill what is still there."""
        self.ask()
        deadline = time.monotonic() + within
        while self.exit_code is None and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        self.kill()
        self._process.wait()
        self._reader.join(1)

    def _read(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for line in lines:
                self._lines.append(line.rstrip("\n"))
                self._show(self.name, line.rstrip("\n"))


class ProcessGroup:
    """The children of one command; as a context manager it leaves none behind."""

    def __init__(self, *, show: Callable[[str, str], None] = lambda name, line: None) -> None:
        """Prepare; `show(name, line)` gets what the children print, from threads of their own."""
        self.children: list[Child] = []
        self._show = show

    def __enter__(self) -> "ProcessGroup":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        log_file: Path | None = None,
    ) -> Child:
        """Start a command; call it in the main thread, with whose end Linux would end the child."""
        with _held_back():  # between the two nobody would know of the child, and end it
            child = Child(
                name, arguments, environment=environment or {}, show=self._show, log_file=log_file
            )
            self.children.append(child)
        return child

    def check(self) -> None:
        """Raise `ChildDied` when a child has ended."""
        for child in self.children:
            if child.exit_code is not None:
                said = "\n".join(child.last_lines) or "(nothing)"
                raise ChildDied(
                    f"The process '{child.name}' ended with code {child.exit_code}; "
                    f"its last words:\n{said}"
                )

    def stop(self) -> None:
        """End all children, the last one started first; a further signal kills the rest."""
        with _on_signals(self._kill_all):
            for child in reversed(self.children):
                child.stop()
        self.children.clear()

    def _kill_all(self, number: int, frame: FrameType | None) -> None:
        for child in self.children:
            child.kill()


def manage(*arguments: str) -> list[str]:
    """Return the command line of a management command in this project and environment."""
    return [sys.executable, "-m", "django", *arguments]


def free_port(preferred: int, *, host: str = LOOPBACK) -> int:
    """Return the preferred port, or another one when something listens there already."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"No free TCP port on {host}")


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGTERM, SIGHUP and SIGINT into KeyboardInterrupt, so that every `with` closes."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    with _on_signals(interrupt):
        yield


@contextmanager
def _held_back() -> Iterator[None]:
    """Let the signals that end a command wait until the block is left."""
    came: list[int] = []
    try:
        with _on_signals(lambda number, frame: came.append(number)):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


@contextmanager
def _on_signals(act: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a function called on the signals that end a command; the main thread's business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, act) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _die_with(parent: int) -> Callable[[], None] | None:
    """Return what the child does before the command: ask Linux for a SIGTERM at our death."""
    libc = _libc
    if libc is None:
        return None

    def follow() -> None:
        libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return follow
