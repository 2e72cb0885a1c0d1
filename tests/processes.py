"""Real processes for the acceptance tests, and waiting for what they do.

A child runs `manage.py` in the test profile on the test database, whichever server that is on; what
it prints is kept and shown when a wait for it fails.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import pytest
from django.db import connections

PROJECT = Path(__file__).resolve().parent.parent
PAUSE_SECONDS = 0.01
Child = TypeVar("Child", bound="ChildProcess")


def wait_until(condition: Callable[[], object], within: float = 5.0) -> None:
    """Return as soon as the condition holds; fail when it still does not after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Still not so after {within} s")
        time.sleep(PAUSE_SECONDS)


def children_of(pid: int) -> list[int]:
    """Return the processes that the main thread of another one, or of this one, has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def database_url(name: str = "") -> str:
    """Return the address of the test database, or of another one of the same server.

    For a process that is started beside the test.
    """
    given = connections["default"].settings_dict
    password = f":{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else ""
    user = f"{quote(given['USER'], safe='')}{password}@" if given["USER"] else ""
    port = f":{given['PORT']}" if given["PORT"] else ""
    host = quote(str(given["HOST"] or "localhost"), safe="")
    return f"postgresql://{user}{host}{port}/{name or given['NAME']}"


_route: dict[str, str] = {}


def route_children(environment: Mapping[str, str]) -> None:
    """Send processes started from now on another way to the database (tests/pooler.py)."""
    _route.clear()
    _route.update(environment)


def child_environment(**given: str) -> dict[str, str]:
    """Return the environment of a child; one that is given an address takes no detour."""
    route = {} if "DATABASE_URL" in given else _route
    return {**os.environ, "DATABASE_URL": database_url(), **route, **given}


def can_listen() -> bool:
    """Tell whether children hear notifications; not where a pooler is all there is."""
    return "TASKER_MODE" not in _route


def skip_if_it_listens(arguments: Sequence[str]) -> None:
    """Skip a test that starts a listening process where a pooler is all there is."""
    if not can_listen() and {"Hybrid", "EventDrivenOnly"} & set(arguments):
        pytest.skip("needs LISTEN, which a transaction pooler does not have")


class ChildProcess:
    """One running program; `output` grows while it runs."""

    def __init__(
        self,
        program: Sequence[str],
        arguments: tuple[str, ...],
        *,
        environment: Mapping[str, str],
        folder: Path = PROJECT,
    ) -> None:
        self.arguments = arguments
        self.output = ""
        self.child = subprocess.Popen(
            [*program, *arguments],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self.output += line

    def says(self, text: str, within: float = 15.0) -> None:
        """Wait until the process has printed a text."""
        try:
            wait_until(lambda: text in self.output or self.child.poll() is not None, within)
            assert text in self.output
        except AssertionError:
            raise AssertionError(f"{self.arguments} never said {text!r}:\n{self.output}") from None

    def send(self, number: int) -> None:
        """Send a signal to the process."""
        self.child.send_signal(number)

    def kill(self) -> None:
        """Kill the process as a machine that loses power would."""
        self.child.kill()
        self.child.wait()
        self._reader.join()

    def ends(self, within: float = 15.0) -> int:
        """Wait for the end of the process and return its exit code."""
        try:
            code = self.child.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.arguments} still runs:\n{self.output}") from None
        self._reader.join()
        return code


class ManageProcess(ChildProcess):
    """One running `manage.py` command on the test database."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        skip_if_it_listens(arguments)
        program = [sys.executable, str(PROJECT / "manage.py")]
        super().__init__(program, arguments, environment=child_environment(**environment))


class Processes:
    """Starts processes and ends whatever a test leaves running."""

    def __init__(self) -> None:
        self.started: list[ChildProcess] = []

    def start(self, *arguments: str, **environment: str) -> ManageProcess:
        """Start one `manage.py` command; keywords are environment variables."""
        process = ManageProcess(arguments, environment)
        self.started.append(process)
        return process

    def add(self, process: Child) -> Child:
        """Take a process that was started otherwise into the care of the test."""
        self.started.append(process)
        return process

    def run(self, *arguments: str, within: float = 30.0, **environment: str) -> ManageProcess:
        """Start a command and wait for its end."""
        process = self.start(*arguments, **environment)
        process.ends(within)
        return process

    def end_all(self) -> None:
        """Ask every process to stop, and kill those that do not; nothing is left behind."""
        for process in self.started:
            if process.child.poll() is None:
                process.send(signal.SIGTERM)
        for process in self.started:
            try:
                process.child.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
            if process.child.stdout is not None:
                process._reader.join()
                process.child.stdout.close()
