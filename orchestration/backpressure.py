"""Turns new tasks away while the engine is behind with those it has (api-and-operations 1.15).

Only creation over REST asks, and Python code that wants to. What decides is looked at for each
namespace every few seconds by whoever comes first; the others go by what is known. Nobody waits:
what is not known, or too old to mean anything, lets the task in.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from orchestration import metrics
from orchestration.conf import ProtectionSettings, Tier, protection_settings
from orchestration.errors import BackpressureError, TryLaterError
from orchestration.queries import pressure
from orchestration.queries.pressure import Pressure
from orchestration.runtime.breaker import MESSAGING, WEB_DATABASE, breaker
from orchestration.runtime.database import CONNECTION_ERRORS
from orchestration.runtime.failures import is_database_gone

log = logging.getLogger(__name__)

TIME_LIMIT_MS = 250
"""Longest look at the queues; one that takes longer leaves the verdict as it was."""
RETRY_SECONDS = {Tier.CRITICAL: 30, Tier.OVERFLOW: 60}
LATE_RETRY_SECONDS = 15
MOST_REMEMBERED = 200
"""Namespaces beyond which those nobody asks about are forgotten."""


@dataclass(slots=True)
class _Known:
    """What is known about one namespace."""

    pressure: Pressure | None = None
    measured_at: float = float("-inf")
    asked_at: float = float("-inf")


class Backpressure:
    """The verdicts of one process about all namespaces; any thread may ask."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    @contextmanager
    def admit(self, *namespaces: str) -> Iterator[None]:
        """Let the creation of tasks through; see the function of the same name."""
        namespace = namespaces[0]
        try:
            breaker(WEB_DATABASE).check()
            with breaker(MESSAGING).admit():
                for namespace in namespaces:
                    self._check(namespace)
                yield
        except TryLaterError as error:
            reason = _reason(error)
            metrics.BACKPRESSURE_REJECTIONS.add(reason=reason)
            log.warning("backpressure.rejected", extra={"namespace": namespace, "reason": reason})
            known = namespace if reason == "queue_depth" else metrics.OTHER
            metrics.TASK_REQUESTS.add(namespace=known, task=metrics.OTHER, outcome="backpressure")
            raise

    def _check(self, namespace: str) -> None:
        settings = protection_settings()
        if not settings.backpressure_enabled:
            return
        found = self._find(namespace, settings)
        if found is None:
            return
        work, lag = found.work, found.lag_seconds or 0.0
        tier = settings.tier_of(work)
        if tier >= Tier.CRITICAL:
            raise BackpressureError(
                f"Cannot create a task in '{namespace}': {_counted(work, settings)} messages and "
                "tasks of this namespace wait already; try again later, or start more workers",
                retry_after_seconds=RETRY_SECONDS[tier],
            )
        if lag > settings.orchestration_lag_seconds:
            raise BackpressureError(
                f"Cannot create a task in '{namespace}': the engine is {lag:.0f} s late; try again "
                "later, or start more orchestrators",
                retry_after_seconds=LATE_RETRY_SECONDS,
            )

    def _find(self, namespace: str, settings: ProtectionSettings) -> Pressure | None:
        """Return what is known about a namespace, having looked anew when it is our turn."""
        now = self._clock()
        with self._lock:
            known = self._known.get(namespace) or self._remember(namespace, now, settings)
            is_our_turn = now - known.asked_at >= settings.backpressure_refresh_seconds
            if is_our_turn:
                known.asked_at = now
        if is_our_turn:
            self._look(namespace, known, settings)
        if now - known.measured_at > settings.backpressure_stale_seconds:
            return None
        return known.pressure

    def _remember(self, namespace: str, now: float, settings: ProtectionSettings) -> _Known:
        if len(self._known) >= MOST_REMEMBERED:
            self._known = {
                name: known
                for name, known in self._known.items()
                if now - known.asked_at <= settings.backpressure_stale_seconds
            }
        self._known[namespace] = _Known()
        return self._known[namespace]

    def _look(self, namespace: str, known: _Known, settings: ProtectionSettings) -> None:
        began = self._clock()
        try:
            found = pressure.measure(
                namespace, limit=settings.queue_overflow + 1, timeout_ms=TIME_LIMIT_MS
            )
        except CONNECTION_ERRORS as error:
            if is_database_gone(error):  # then the task cannot be written either
                raise
            log.warning(
                "backpressure.unknown",
                extra={"namespace": namespace, "error": str(error).strip()},
            )
            return
        with self._lock:
            known.pressure, known.measured_at = found, began
            known_work = [each.pressure.work for each in self._known.values() if each.pressure]
            metrics.BACKPRESSURE_LEVEL.set(settings.tier_of(max(known_work)))


def _reason(error: TryLaterError) -> str:
    if not isinstance(error, BackpressureError):
        return "circuit_breaker"
    return "lag" if error.retry_after_seconds == LATE_RETRY_SECONDS else "queue_depth"


def _counted(work: int, settings: ProtectionSettings) -> str:
    return f"{work}" if work <= settings.queue_overflow else f"more than {settings.queue_overflow}"


_backpressure = Backpressure()


def admit(*namespaces: str) -> AbstractContextManager[None]:
    """Let the creation of tasks through, or raise a `TryLaterError`; nothing was written then.

    `CircuitOpenError` while the database or the queues are not tried, `BackpressureError` while one
    of the namespaces has too much to do or the engine is late.
    """
    return _backpressure.admit(*namespaces)
