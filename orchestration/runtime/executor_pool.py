"""Several threads that do one kind of work: as many as there is work for, between two bounds.

An executor is a loop whose rest belongs to its pool: all of them wait there for a reason to look.
A notification is one reason for one executor. While another executor is at work that one will look
again anyway, so the notification only begins a short patience; that keeps batches large where two
executors would halve them, and still gets past an executor that hangs on a lock. A full batch says
that more is waiting, and calls another executor at once. Only one executor polls.

No wake-up is lost: a reason is taken back by a round that begins after it, and a round that fails
gives it to the next.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from orchestration import metrics
from orchestration.runtime import database
from orchestration.runtime.loop import LINGER_SECONDS, STOP_SECONDS, Loop
from orchestration.runtime.pool_size import PoolSize, relief_factor

PATIENCE_SECONDS = 0.1
"""How long a notification waits for the executors at work before it calls another one."""
LONGEST_POLL_SECONDS = 10.0
"""Longest poll that a strained database may stretch a shorter one to."""
FIRST_POLL_SECONDS = 1.0
"""Pause between two polls until somebody has found nothing and says the real one."""

NEVER = float("inf")


class ExecutorPool:
    """A part of a process: the executors of one kind of work."""

    def __init__(
        self,
        size: PoolSize,
        do_batch: Callable[[int], int],
        *,
        batch_count: int,
        idle_seconds: Callable[[], float],
        wake_on: Iterable[str] = (),
    ) -> None:
        """Prepare the pool; `do_batch(limit)` owns its transaction and returns how much it did."""
        self.name = size.name
        self.wake_on = tuple(wake_on)
        self.stop_seconds = STOP_SECONDS
        self.failure: BaseException | None = None
        self.size = size
        self._do_batch = do_batch
        self._batch_count = batch_count
        self._idle_seconds = idle_seconds
        self._numbers = itertools.count(1)
        self._executors: list[_Executor] = []
        self._leaving: set[_Executor] = set()
        self._is_stopping = False
        self._on_end: Callable[[], None] = lambda: None
        # Guards everything below and the two collections; an executor at rest waits on it.
        self._changed = threading.Condition()
        self._asked_at = NEVER
        self._taken_at = NEVER  # when somebody asked for the round that is about to begin
        self._has_more = False
        self._poll_pause = FIRST_POLL_SECONDS
        self._next_poll_at = NEVER

    # ---------------------------------------------------------------- a part of the process

    @property
    def is_running(self) -> bool:
        """Its executors work, or are about to end."""
        if self._is_stopping:
            return bool(self._all())
        return self.failure is None and bool(self._executors)

    @property
    def is_backing_off(self) -> bool:
        """An executor met a database error and waits to try again."""
        return any(each.is_backing_off for each in self._all())

    @property
    def busy_seconds(self) -> float:
        """How long the longest present round has been running."""
        return max((each.busy_seconds for each in self._all()), default=0.0)

    def start(self, on_end: Callable[[], None]) -> None:
        """Start as many executors as the pool has at least."""
        self._on_end = on_end
        self._follow_size()

    def stop(self) -> None:
        """Ask every executor to end after its present batch."""
        with self._changed:
            self._is_stopping = True
        for each in self._all():
            each.stop()

    def abandon(self) -> None:
        """Say that nobody waits any longer; the threads die with the process."""
        for each in self._all():
            each.abandon()

    def wake(self) -> None:
        """Make one executor look for work now, or soon if others are at it; from any thread."""
        self._ask()
        for each in self._all():
            if each.is_backing_off:
                each.wake()

    def run_once(self) -> int:
        """Do one batch in the calling thread and return how much that was."""
        factor = relief_factor(self.size.database_share())
        limit = max(1, round(self._batch_count * factor))
        with self._changed:
            asked_at = min(self._asked_at, self._taken_at)
            self._asked_at = self._taken_at = NEVER
        self.size.enter()
        try:
            done = self._do_batch(limit)
        except BaseException:
            self._ask()  # what this round was for is still to be done
            raise
        finally:
            self.size.leave()
        if asked_at != NEVER:
            waited = time.monotonic() - asked_at
            metrics.EVENT_PROCESSING.observe(waited * 1000, loop=self.name)
        with self._changed:
            self._has_more = done >= limit
            if self._has_more:
                self._changed.notify()
        return done

    def scale(self) -> None:
        """Measure, and start executors or let some leave after their batch."""
        self.size.review()
        self._follow_size()

    # ---------------------------------------------------------------- for its executors

    def idle_seconds(self) -> float:
        """Return the pause between two looks nobody asked for; longer on a strained database."""
        usual = self._idle_seconds()
        stretched = usual / relief_factor(self.size.database_share())
        return max(usual, min(stretched, LONGEST_POLL_SECONDS))

    def begin_rest(self, idle_seconds: float) -> None:
        """Note that somebody has just found nothing."""
        with self._changed:
            self._poll_pause = idle_seconds
            self._next_poll_at = time.monotonic() + idle_seconds

    def await_reason(self, is_leaving: Callable[[], bool], *, until: float = NEVER) -> bool:
        """Wait for a reason to look, or to leave; False when there was none until then."""
        with self._changed:
            while not is_leaving():
                now = time.monotonic()
                if self._take_reason(now):
                    return True
                if now >= until:
                    return False
                self._changed.wait(_bounded(min(until, self._next_reason_at()) - now))
        return True

    def notify_leaving(self) -> None:
        """Make everybody at rest see who has to leave, and whether a reason was left behind."""
        with self._changed:
            self._changed.notify_all()

    def _ask(self) -> None:
        with self._changed:
            if self._asked_at == NEVER:  # else somebody was told already
                self._asked_at = time.monotonic()
                self._changed.notify()

    def _take_reason(self, now: float) -> bool:
        if self._has_more:
            self._has_more = False
            return True
        if now >= self._next_reason_at():
            if now < self._asked_at:
                metrics.POLLING_CYCLES.add(loop=self.name)
            self._taken_at, self._asked_at = self._asked_at, NEVER
            self._next_poll_at = now + self._poll_pause  # this poll is taken; nobody else's
            return True
        return False

    def _next_reason_at(self) -> float:
        patience = PATIENCE_SECONDS if self.size.busy else 0.0
        return min(self._asked_at + patience, self._next_poll_at)

    # ---------------------------------------------------------------- its size

    def _all(self) -> list["_Executor"]:
        with self._changed:
            return [*self._executors, *self._leaving]

    def _follow_size(self) -> None:
        started, surplus = [], []
        with self._changed:
            if self._is_stopping:
                return
            while len(self._executors) < self.size.size:
                started.append(_Executor(self, next(self._numbers)))
                self._executors.append(started[-1])
            while len(self._executors) > self.size.size:
                surplus.append(self._executors.pop())
                self._leaving.add(surplus[-1])
        for each in started:
            each.start(partial(self._note_end, each))
        for each in surplus:
            each.stop()

    def _note_end(self, executor: "_Executor") -> None:
        with self._changed:
            self.failure = self.failure or executor.failure
            self._leaving.discard(executor)
            if executor in self._executors:
                self._executors.remove(executor)
            self._changed.notify_all()  # it may have been woken for something
        if self.failure or self._is_stopping:
            self._on_end()


class _Executor(Loop):
    """One thread of a pool: a loop that rests where the others rest."""

    def __init__(self, pool: ExecutorPool, number: int) -> None:
        super().__init__(f"{pool.name}-{number}", pool.run_once, idle_seconds=pool.idle_seconds)
        self._pool = pool

    @property
    def kind(self) -> str:
        """The name of the pool."""
        return self._pool.name

    def stop(self) -> None:
        super().stop()
        self._pool.notify_leaving()

    def _rest(self, idle: float) -> None:
        self._pool.begin_rest(idle)
        is_leaving = self._stopping.is_set
        linger_until = self._worked_at + LINGER_SECONDS
        if not self._pool.await_reason(is_leaving, until=linger_until):
            database.release_connections()
            self._pool.await_reason(is_leaving)


def _bounded(seconds: float) -> float | None:
    return None if seconds == NEVER else max(0.0, seconds)
