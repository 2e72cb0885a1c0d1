"""One thread that does one kind of work for as long as there is some, then sleeps until woken.

`run_once` owns its transaction and returns how much it did; 0 means: may sleep. A test calls it
directly, without a thread. A wake-up is a hint and costs a round at most.

Why a loop keeps its connection for a second after its last work: fetching one from the pool is the
only thing between a notification and the first statement, and work rarely comes alone.

A database that is gone is waited for here. A circuit breaker that is open (`runtime.breaker`) lets
the loop rest until the breaker wants to know more; then the round itself is the trial.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from orchestration import metrics
from orchestration.errors import CircuitOpenError
from orchestration.runtime import database

log = logging.getLogger(__name__)

LINGER_SECONDS = 1.0
STOP_SECONDS = 10.0
LEAST_HOLD_SECONDS = 0.05


class Loop:
    """A named `run_once` with its thread, its pauses and its end."""

    def __init__(
        self,
        name: str,
        run_once: Callable[[], int],
        *,
        idle_seconds: float | Callable[[], float],
        wake_on: Iterable[str] = (),
        check_reachable: Callable[[], None] = database.check_reachable,
    ) -> None:
        """Prepare the loop; `wake_on` names the channels whose notifications wake it.

        After an error `check_reachable` goes before the next round: it fails at once, where the
        pool would keep the round waiting, and a process that wants to end with it.
        """
        self.name = name
        self.run_once = run_once
        self.wake_on = tuple(wake_on)
        self.stop_seconds = STOP_SECONDS
        self.longest_pause_seconds = database.LONGEST_PAUSE_SECONDS
        self.failure: BaseException | None = None
        self.rounds = 0
        self._idle_seconds = idle_seconds
        self._check_reachable = check_reachable
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._pause_seconds = 0.0
        self._is_held = False
        self._busy_since: float | None = None
        self._worked_at = float("-inf")
        self._is_polling = False
        self._woken_at: float | None = None
        self._thread: threading.Thread | None = None
        self._has_ended = False

    @property
    def kind(self) -> str:
        """What kind of work it does, as metrics say it; executors of a pool do the same."""
        return self.name

    @property
    def is_running(self) -> bool:
        """It was started and has not ended."""
        return self._thread is not None and not self._has_ended

    @property
    def is_stopping(self) -> bool:
        """It was asked to end."""
        return self._stopping.is_set()

    @property
    def is_backing_off(self) -> bool:
        """The last round met a database error or an open breaker; the loop waits to try again."""
        return self._pause_seconds > 0 or self._is_held

    @property
    def busy_seconds(self) -> float:
        """How long the present round has been running; 0 while resting."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def wake(self) -> None:
        """Make the loop look for work now; from any thread."""
        self._woken_at = self._woken_at or time.monotonic()
        if not self._woken.is_set():  # else the next round is still to come, and finds everything
            self._woken.set()

    def start(self, on_end: Callable[[], None]) -> None:
        """Start the thread; `on_end` is called in it when it ends, for whatever reason."""
        self._thread = threading.Thread(
            target=self._live, args=(on_end,), name=f"loop-{self.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to end after the present round."""
        self._stopping.set()
        self._woken.set()

    def abandon(self) -> None:
        """Say that nobody waits any longer; the thread dies with the process."""
        log.error("loop.abandoned", extra={"loop": self.name, "busy_seconds": self.busy_seconds})

    def _live(self, on_end: Callable[[], None]) -> None:
        try:
            while not self._stopping.is_set():
                self._run_round()
        except BaseException as failure:
            self.failure = failure
            log.exception("loop.failed", extra={"loop": self.name})
        finally:
            database.release_connections()
            self._has_ended = True
            on_end()

    def _run_round(self) -> None:
        self._woken.clear()
        woken_at, self._woken_at = self._woken_at, None
        began = self._busy_since = time.monotonic()
        idle_seconds = 0.0
        try:
            if self._pause_seconds:
                self._check_reachable()
            done = self.run_once()
            if not done:  # may ask the database when the next thing is due
                idle_seconds = self._give_idle_seconds()
        except CircuitOpenError as error:
            self._hold(error.retry_after_seconds)
            return
        except database.CONNECTION_ERRORS as error:
            self._back_off(error)
            return
        finally:
            self._busy_since = None
        self._note_round(done, began=began, woken_at=woken_at)
        self._is_held = False
        if self._pause_seconds:
            self._pause_seconds = 0.0
            log.warning("database.recovered", extra={"loop": self.name})
            database.note_recovery()
        if done:
            self._worked_at = time.monotonic()
        else:
            self._rest(idle_seconds)

    def _give_idle_seconds(self) -> float:
        return self._idle_seconds() if callable(self._idle_seconds) else self._idle_seconds

    def _rest(self, idle: float) -> None:
        """Sleep until woken or until the next round is due; keep the connection at first."""
        self._is_polling = False
        linger = min(idle, self._worked_at + LINGER_SECONDS - time.monotonic())
        if linger > 0:
            if self._woken.wait(linger):
                return
            idle -= linger
        database.release_connections()
        if idle > 0:
            self._is_polling = not self._woken.wait(idle)

    def _note_round(self, done: int, *, began: float, woken_at: float | None) -> None:
        """Count a round: one that somebody asked for, or one that nobody did."""
        self.rounds += 1
        now = time.monotonic()
        if woken_at is not None:
            metrics.EVENT_PROCESSING.observe((now - woken_at) * 1000, loop=self.kind)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("loop.round", extra={"loop": self.name, "count": done})
        if not self._is_polling:
            return
        self._is_polling = False
        metrics.POLLING_CYCLES.add(loop=self.kind)
        metrics.POLLING_MESSAGES.add(done, loop=self.kind)
        metrics.POLLING_DURATION.observe((now - began) * 1000, loop=self.kind)

    def _hold(self, seconds: float) -> None:
        """Rest until the open breaker may be asked again; nobody's wake-up makes that earlier."""
        self._is_held = True
        self._busy_since = None
        database.release_connections()
        self._stopping.wait(max(seconds, LEAST_HOLD_SECONDS))

    def _back_off(self, error: Exception) -> None:
        """Wait, longer each time.

        A wake-up ends the wait after its first second: when the listener or another loop has its
        database back it wakes everybody, but a stream of notifications must not make a hot loop.
        """
        metrics.CONNECTION_ERRORS.add()
        metrics.POLLING_ERRORS.add(loop=self.kind)
        if self._pause_seconds:
            longer = database.next_pause(self._pause_seconds)
            self._pause_seconds = min(longer, self.longest_pause_seconds)
        else:
            self._pause_seconds = database.FIRST_PAUSE_SECONDS
        log.error(
            "database.lost",
            extra={
                "loop": self.name,
                "error_type": type(error).__name__,
                "error": str(error).strip(),
                "retry_in_seconds": self._pause_seconds,
            },
        )
        database.discard_connections(error)
        self._woken.clear()
        deaf_seconds = min(self._pause_seconds, database.SECOND_PAUSE_SECONDS)
        if not self._stopping.wait(deaf_seconds) and self._pause_seconds > deaf_seconds:
            self._woken.wait(self._pause_seconds - deaf_seconds)


class Runnable(Protocol):
    """What does its work in rounds: a loop, or a pool of executors."""

    def run_once(self) -> int:
        """Do one round and return how much that was."""


def run_until_idle(loops: Iterable[Runnable]) -> int:
    """Run rounds of all loops in this thread until none finds work; return how much was done."""
    loops = list(loops)
    total = 0
    while done := sum(loop.run_once() for loop in loops):
        total += done
    database.release_connections()
    return total
