"""Starts the parts of a process in order, watches them, and stops them in reverse order.

A part is a loop, a listener, a status server, a pool: anything with its own thread. A part that
ends by itself stops the process, because a half-alive process is worse than a dead one.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from orchestration.runtime.shutdown import Shutdown

log = logging.getLogger(__name__)

EXIT_ASKED = 0
EXIT_DIED = 1
EXIT_BAD_CONFIGURATION = 2

FORCED_STOP_SECONDS = 1.0
"""What a part gets to end once somebody insists: enough for one short transaction."""


class Part(Protocol):
    """What the supervisor needs of a thing that lives in its own thread."""

    name: str
    stop_seconds: float
    failure: BaseException | None

    @property
    def is_running(self) -> bool:
        """It has not ended yet."""

    def start(self, on_end: Callable[[], None]) -> None:
        """Begin; call `on_end` from any thread when it has ended."""

    def stop(self) -> None:
        """Begin to end; return at once."""

    def abandon(self) -> None:
        """Give up what is unfinished: nobody waits any longer."""


class Supervisor:
    """Runs the parts of one process until it is asked to stop or one of them dies."""

    def __init__(
        self,
        parts: Sequence[Part],
        shutdown: Shutdown,
        *,
        on_stopping: Callable[[], None] = lambda: None,
        report_status: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the parts in the order of their start; later ones stand on earlier ones."""
        self.parts: list[Part] = []
        self._waiting = list(parts)
        self.shutdown = shutdown
        self._on_stopping = on_stopping
        self._report_status = report_status
        self.state = "startup"

    @property
    def operational_state(self) -> str:
        """One of startup, normal, graceful_shutdown, emergency, stopped."""
        if self.state == "graceful_shutdown" and self.shutdown.is_forced:
            return "emergency"
        return self.state

    def start(self, part: Part) -> None:
        """Start a part before the others; it stops after them."""
        self.parts.append(part)
        part.start(self.shutdown.notify)

    def run(self, parts: Sequence[Part] = ()) -> int:
        """Start the rest and live; return the exit code."""
        for part in (*self._waiting, *parts):
            self.start(part)
        self.state = "normal"
        dead = self._watch()
        self.state = "graceful_shutdown"
        log.info("process.stopping", extra={"because": dead.name if dead else "asked"})
        self._on_stopping()
        died = dead is not None
        return self.stop(EXIT_DIED if died else EXIT_ASKED)

    def stop(self, exit_code: int) -> int:
        """Stop what was started; return the code, or that of a death if a part failed."""
        self.state = "graceful_shutdown"
        for part in reversed(self.parts):
            self._stop(part)
        self.state = "stopped"
        return EXIT_DIED if any(part.failure for part in self.parts) else exit_code

    def _watch(self) -> Part | None:
        """Wait until asked to stop or a part ends by itself; return that part."""
        while not self.shutdown.is_asked:
            for part in self.parts:
                if not part.is_running:
                    log.error("process.part_ended", extra={"part": part.name})
                    return part
            if self.shutdown.take_status_wish():
                self._report_status()
            self.shutdown.wait()
        return None

    def _stop(self, part: Part) -> None:
        part.stop()
        began = time.monotonic()
        while part.is_running:
            limit = part.stop_seconds
            if self.shutdown.is_forced:
                limit = min(limit, FORCED_STOP_SECONDS)
            left = began + limit - time.monotonic()
            if left <= 0:
                part.abandon()
                return
            self.shutdown.wait(left)
