"""One of several processes of a kind: started, asked to stop, started again after a death."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from orchestration.runtime.database import next_pause

STEADY_SECONDS = 60.0
"""A process that has lived so long has not died of its start: its next pause is the first again."""


class Replica:
    """One place among several; a process that dies is followed by another on the same place."""

    def __init__(self, number: int, command: Callable[[int], Sequence[str]]) -> None:
        """Start nothing; `command` is given the descriptor by which the process follows us."""
        self.number = number
        self.is_over = False
        self.restarts = 0
        self.pause_seconds = 0.0
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1
        self._started_at = 0.0
        self._due_at: float | None = None

    @property
    def pid(self) -> int | None:
        """Its process, None between two."""
        return None if self._process is None else self._process.pid

    @property
    def seconds_until_due(self) -> float | None:
        """How long until it is started again; None unless it waits for that."""
        return None if self._due_at is None else max(self._due_at - time.monotonic(), 0.0)

    def start(self) -> None:
        """Start a process of its own; raises OSError where the system refuses one."""
        self._due_at = None
        theirs, ours = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, our own command line
                self._command(theirs), stdin=subprocess.DEVNULL, pass_fds=(theirs,)
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._pipe, self._started_at = ours, time.monotonic()

    def ask(self) -> None:
        """Ask the process to stop; the second time, to leave at once."""
        if self._process is not None:
            with suppress(BrokenPipeError):  # it has ended, and will be noted
                os.write(self._pipe, b".")

    def take_end(self) -> int | None:
        """Return the exit code of a process that has ended, once; negative = by a signal."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            self._process = None
            os.close(self._pipe)
        return code

    def plan_restart(self) -> None:
        """Wait before the next process: 1 s, then doubled, 30 s at most."""
        was_steady = time.monotonic() - self._started_at >= STEADY_SECONDS
        self.pause_seconds = next_pause(0.0 if was_steady else self.pause_seconds)
        self.restarts += 1
        self._due_at = time.monotonic() + self.pause_seconds

    def give_up(self) -> None:
        """Start no further process."""
        self.is_over, self._due_at = True, None
