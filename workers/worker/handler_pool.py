"""The threads that run handlers, one per slot; a part of the process like a loop.

The slots grow with the claims and shrink by the rule of all pools; a thread too many leaves when it
is free, never in the middle of a handler.

Draining: the claim loop has ended before this part is asked to stop; then it lives until every
handler has returned and every result is stored, or until the grace is over and it gives the rest
back. A handler past its timeout is reported already and nobody waits for it.
"""

import itertools
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from orchestration.runtime import database
from workers.executor import Execution
from workers.worker import statement_limit
from workers.worker.reporting import release
from workers.worker.slots import Slots

log = logging.getLogger(__name__)


class TooManyStuckHandlersError(RuntimeError):
    """Half of the slots are held by handlers that ignored their timeout."""


class HandlerPool:
    """Runs executions on its threads until it is drained."""

    name = "handlers"

    def __init__(
        self,
        slots: Slots,
        *,
        run: Callable[[Execution], None],
        on_free_slot: Callable[[], None],
        stop_seconds: float,
    ) -> None:
        """Start nothing yet; `run` must not raise, `on_free_slot` is called after each run."""
        self.stop_seconds = stop_seconds
        self.failure: BaseException | None = None
        self._slots = slots
        self._run = run
        self._on_free_slot = on_free_slot
        self._inbox: SimpleQueue[Execution | None] = SimpleQueue()  # None: one thread may leave
        self._threads = 0
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._is_draining = False
        self._on_end: Callable[[], None] = lambda: None

    @property
    def is_running(self) -> bool:
        """It takes work, or still has some."""
        if self._is_draining:
            return not self._slots.is_idle
        return self.failure is None

    def start(self, on_end: Callable[[], None]) -> None:
        """Start a thread for each slot; they die with the process."""
        self._on_end = on_end
        self._follow_size()

    def submit(self, execution: Execution) -> None:
        """Give the execution a slot and hand it to a thread."""
        self._follow_size()
        self._slots.take(execution)
        self._inbox.put(execution)

    def scale(self) -> int:
        """Measure, and let slots go that are hardly used; returns 0: the next look has its time."""
        self._slots.pool_size.review()
        self._follow_size()
        return 0

    def stop(self) -> None:
        """Begin to drain."""
        self._is_draining = True

    def abandon(self) -> None:
        """Give back every claim that is not over; late results are dropped."""
        held = self._slots.held()
        for execution in held:
            execution.cancel()
            self._slots.settle(execution)
        if not held:
            return
        try:
            database.check_reachable()
            release(held)
        except database.CONNECTION_ERRORS as error:
            log.error(
                "step.release_failed",
                extra={"count": len(held), "error": str(error).strip(), "then": "lease expires"},
            )

    def note_progress(self) -> None:
        """Tell the supervisor that a slot or a claim is over, while it waits for that."""
        if self._is_draining:
            self._on_end()

    def check_stuck(self) -> None:
        """End the process when half of its slots are held by handlers past their timeout.

        Half of the most it may have: those it has now grow around a handler that hangs.
        """
        overdue, most = self._slots.overdue, self._slots.maximum
        if self.failure is None and overdue and overdue * 2 >= most:
            log.error("worker.stuck", extra={"overdue": overdue, "slots": most})
            self.failure = TooManyStuckHandlersError(f"{overdue} of {most} slots")
            self._on_end()

    def _follow_size(self) -> None:
        """Start the threads that are missing; tell those too many to leave once they are free."""
        with self._lock:
            missing = self._slots.size - self._threads
            self._threads += missing
            for _ in range(missing):
                name = f"handler-{next(self._numbers)}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
            for _ in range(-missing):
                self._inbox.put(None)

    def _serve(self) -> None:
        while (execution := self._inbox.get()) is not None:
            statement_limit.set_for_this_thread(execution.timeout_seconds)
            self._run(execution)
            database.release_connections()
            self._slots.free_slot(execution)
            self._on_free_slot()
            self.note_progress()
