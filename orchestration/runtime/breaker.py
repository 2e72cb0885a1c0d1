"""Circuit breakers: after repeated failures nobody tries for a while, then one at a time.

    closed --(failures within a time, no success between)--> open
    open --(some time)--> half-open --(successes in a row)--> closed, or (a failure)--> open

They live in memory, one of each name per process. `guard` is the whole of it; where the decision to
try and the call itself are apart, `admit` asks and holds the place of the one trial, and `record`
says how a call ended.

How this and the back-off of `runtime.loop` divide the work: a database that is *gone* (refused,
cut off) is the loop's: it waits, asks cheaply, and goes on within a second of its return. So the
breakers of the loops, `messaging` and `task_readiness`, count what fails on a connection that
*works*: time limits, missing tables, a full disk. They stop all loops of the process at once, where
each would try by itself. The web process has no loops; there `web_database` counts the loss of the
database, for whose return no request shall wait.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import IntEnum

from django.utils import timezone

from orchestration import metrics
from orchestration.conf import ProtectionSettings, protection_settings
from orchestration.errors import CircuitOpenError
from templates_registry.conf import BREAKER_OFF, BreakerRule

log = logging.getLogger(__name__)

WEB_DATABASE, MESSAGING, TASK_READINESS = "web_database", "messaging", "task_readiness"
TRIAL_SECONDS = 1.0
"""When to ask again while somebody else has the trial."""


class State(IntEnum):
    """What a breaker does; the number is its metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2

    @property
    def word(self) -> str:
        """As health writes it."""
        return self.name.lower()


class CircuitBreaker:
    """One breaker; any thread may use it."""

    def __init__(
        self,
        name: str,
        rule: BreakerRule,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin closed; a rule that is off never opens."""
        self.name = name
        self.rule = rule
        self.calls = 0
        self.rejections = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._failed_at: deque[float] = deque(maxlen=max(1, rule.failures))
        self._opened_at: float | None = None
        self._successes = 0
        self._trial: object | None = None

    @property
    def state(self) -> State:
        """Closed, open, or half-open: ready for a trial."""
        with self._lock:
            return self._state()

    @property
    def failures(self) -> int:
        """How many failures count at the moment."""
        with self._lock:
            self._forget_old_failures()
            return len(self._failed_at)

    @property
    def opened_at(self) -> datetime | None:
        """When it opened last, None while it is closed."""
        return self._moment(0.0)

    @property
    def next_trial_at(self) -> datetime | None:
        """From when on somebody may try, None while it is closed."""
        return self._moment(self.rule.open_seconds)

    @property
    def retry_after_seconds(self) -> float:
        """How long until it is worth asking again; 0 while calls are let through."""
        with self._lock:
            return self._retry_after()

    def check(self) -> None:
        """Raise `CircuitOpenError` while it is open; says nothing against a trial, takes none."""
        with self._lock:
            if self._state() is State.OPEN:
                self._refuse(self._retry_after())

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Let a call through, in half-open one at a time; raises `CircuitOpenError`.

        How the call ends is not looked at; that is what `record` is for.
        """
        ticket = object()
        with self._lock:
            if retry_after := self._retry_after():
                self._refuse(retry_after)
            self.calls += 1
            if self._state() is State.HALF_OPEN:
                self._trial = ticket
                if not self._successes:
                    log.warning("breaker.half_open", extra={"breaker": self.name})
        try:
            yield
        finally:
            with self._lock:
                if self._trial is ticket:
                    self._trial = None

    def record(self, *, is_failure: bool) -> None:
        """Note how a call ended; while it is open, calls from before say nothing any more."""
        if self.rule == BREAKER_OFF:
            return
        metrics.BREAKER_CALLS.add(name=self.name, result="failure" if is_failure else "success")
        with self._lock:
            state = self._state()
            if is_failure:
                self._note_failure(state)
            elif state is State.CLOSED:
                self._failed_at.clear()
            elif state is State.HALF_OPEN:
                self._successes += 1
                if self._successes >= self.rule.successes:
                    self._close()

    @contextmanager
    def observe(self, is_failure: Callable[[BaseException], bool]) -> Iterator[None]:
        """Record how what is done here ends, without ever refusing it."""
        try:
            yield
        except Exception as error:
            if is_failure(error):
                self.record(is_failure=True)
            raise
        self.record(is_failure=False)

    @contextmanager
    def guard(self, is_failure: Callable[[BaseException], bool]) -> Iterator[None]:
        """Let a call through and record how it ends; raises `CircuitOpenError`."""
        with self.admit(), self.observe(is_failure):
            yield

    def describe(self) -> dict[str, object]:
        """Return what health shows."""
        return {
            "state": self.state.word,
            "failures": self.failures,
            "opened_at": self.opened_at,
            "next_trial_at": self.next_trial_at,
            "calls": self.calls,
            "rejections": self.rejections,
        }

    # ---------------------------------------------------------------- with the lock held

    def _state(self) -> State:
        if self._opened_at is None:
            return State.CLOSED
        is_over = self._clock() >= self._opened_at + self.rule.open_seconds
        return State.HALF_OPEN if is_over else State.OPEN

    def _retry_after(self) -> float:
        state = self._state()
        if state is State.OPEN and self._opened_at is not None:
            return self._opened_at + self.rule.open_seconds - self._clock()
        if state is State.HALF_OPEN and self._trial is not None:
            return TRIAL_SECONDS
        return 0.0

    def _refuse(self, retry_after_seconds: float) -> None:
        self.rejections += 1
        metrics.BREAKER_CALLS.add(name=self.name, result="rejected")
        raise CircuitOpenError(self.name, retry_after_seconds=retry_after_seconds)

    def _note_failure(self, state: State) -> None:
        if state is State.OPEN:
            return
        self._forget_old_failures()
        self._failed_at.append(self._clock())
        if state is State.HALF_OPEN or len(self._failed_at) >= self.rule.failures:
            self._open()

    def _forget_old_failures(self) -> None:
        oldest = self._clock() - self.rule.within_seconds
        while self._opened_at is None and self._failed_at and self._failed_at[0] < oldest:
            self._failed_at.popleft()

    def _open(self) -> None:
        self._opened_at = self._clock()
        self._successes = 0
        self._trial = None
        log.error(
            "breaker.opened",
            extra={
                "breaker": self.name,
                "failures": len(self._failed_at),
                "next_trial_in_seconds": self.rule.open_seconds,
            },
        )

    def _close(self) -> None:
        self._opened_at = None
        self._failed_at.clear()
        self._trial = None
        log.warning("breaker.closed", extra={"breaker": self.name})

    def _moment(self, seconds: float) -> datetime | None:
        with self._lock:
            if self._opened_at is None:
                return None
            return timezone.now() + timedelta(seconds=self._opened_at + seconds - self._clock())


# ---------------------------------------------------------------- those of this process

_RULES: dict[str, Callable[[ProtectionSettings], BreakerRule]] = {
    WEB_DATABASE: lambda settings: settings.breaker_web_database,
    MESSAGING: lambda settings: settings.breaker_messaging,
    TASK_READINESS: lambda settings: settings.breaker_task_readiness,
}
_breakers: dict[str, CircuitBreaker] = {}
_lock = threading.Lock()


def breaker(name: str) -> CircuitBreaker:
    """Return the breaker of this name; changed settings give a new one."""
    rule = _RULES[name](protection_settings())
    found = _breakers.get(name)
    if found is None or found.rule != rule:
        with _lock:
            found = _breakers.get(name)
            if found is None or found.rule != rule:
                found = _breakers[name] = CircuitBreaker(name, rule)
    return found
