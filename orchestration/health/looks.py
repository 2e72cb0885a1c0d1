"""What is measured when somebody scrapes `/metrics`: the process, its pools, and the database.

Web processes and orchestrators both tell about the database; whoever scrapes takes the greatest.
One measurement serves all gauges of a scrape and is kept for some seconds, and so is its failure:
a database that hangs holds up one scrape, not each of its gauges.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from orchestration import metrics
from orchestration.health.database import pool_stats
from orchestration.health.engine import KEPT_SECONDS, fresh_seconds
from orchestration.messaging.messages import ORCHESTRATION_QUEUES
from orchestration.metrics.kinds import Values
from orchestration.queries import gauges
from orchestration.queries.gauges import Amount, Figures
from orchestration.runtime.breaker import breaker
from orchestration.runtime.identity import tasker_version

Found = TypeVar("Found")
Pools = Iterable[tuple[str, Mapping[str, float]]]

LOAD_KEPT_SECONDS = 60.0
"""What is counted without a limit is counted that seldom."""
_started = time.monotonic()


class Measured(Generic[Found]):
    """Figures of the database, kept for some seconds; so is the failure to get them."""

    def __init__(
        self,
        measure: Callable[[], Found],
        *,
        kept_seconds: float = KEPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet."""
        self._kept_seconds = kept_seconds
        self._measure = measure
        self._clock = clock
        self._asked_at = float("-inf")
        self._found: Found | None = None

    def __call__(self) -> Found:
        """Return the figures; raises what measuring raised."""
        if self._clock() - self._asked_at >= self._kept_seconds:
            self._found = None
            try:
                self._found = self._measure()
            finally:
                self._asked_at = self._clock()
        if self._found is None:
            raise RuntimeError("The database could not be measured a moment ago")
        return self._found


def look_at_process(kind: str, *, mode: str = "", breakers: Sequence[str]) -> None:
    """Tell about this process: who it is, its connections, its circuit breakers."""
    metrics.PROCESS_INFO.ask(lambda: [((kind, tasker_version(), mode), 1)])
    metrics.PROCESS_UPTIME.ask(lambda: [((), time.monotonic() - _started)])
    metrics.BREAKER_STATE.ask(lambda: [((name,), breaker(name).state) for name in breakers])
    metrics.DB_CONNECTIONS.ask(_connections)
    metrics.DB_CHECKOUTS.ask(lambda: [((), pool_stats().get("requests_num", 0))])
    metrics.DB_CHECKOUT_DURATION.ask(lambda: [((), pool_stats().get("requests_wait_ms", 0))])


def look_at_pools(describe: Callable[[], Pools]) -> None:
    """Tell about the pools of executors; `describe` yields their names with what they say."""
    looks = {
        metrics.POOL_SIZE: "size",
        metrics.POOL_BUSY: "busy",
        metrics.POOL_UTILIZATION: "utilization",
    }
    for look, key in looks.items():
        look.ask(partial(_said, describe, key))


def look_at_database() -> None:
    """Tell about tasks, queues, investigations and processes."""
    found = Measured(_measure)
    load = Measured(gauges.measure_load, kept_seconds=LOAD_KEPT_SECONDS)
    metrics.TASKS_ACTIVE.ask(lambda: [((row.state,), row.tasks) for row in found().tasks])
    metrics.TASKS_OLDEST_AGE.ask(
        lambda: [((row.state,), row.oldest_seconds) for row in found().tasks]
    )
    metrics.TASKS_AWAITING_ADMISSION.ask(lambda: _amounts(found().awaiting))
    metrics.DLQ_PENDING.ask(lambda: _amounts(found().investigations))
    metrics.PROCESSES_LIVE.ask(lambda: _amounts(found().processes))
    metrics.SYSTEM_HEALTH_SCORE.ask(lambda: [((), load().health_score)])
    metrics.STEPS_READY.ask(
        lambda: [((row.namespace,), row.visible) for row in found().queues if row.namespace]
    )
    queues = {
        metrics.QUEUE_DEPTH: "depth",
        metrics.QUEUE_VISIBLE: "visible",
        metrics.QUEUE_ARCHIVED: "archived",
        metrics.QUEUE_OLDEST_AGE: "oldest_age_seconds",
    }
    for look, column in queues.items():
        look.ask(partial(_of_queues, found, column))


def _measure() -> Figures:
    return gauges.measure(engine_queues=ORCHESTRATION_QUEUES, fresh_seconds=fresh_seconds())


def _said(describe: Callable[[], Pools], key: str) -> Values:
    return [((name,), said[key]) for name, said in describe()]


def _of_queues(found: Measured[Figures], column: str) -> Values:
    return [((row.queue, row.namespace), getattr(row, column)) for row in found().queues]


def _amounts(rows: Iterable[Amount]) -> Values:
    return [((row.label,), row.amount) for row in rows]


def _connections() -> Values:
    stats = pool_stats()
    size = stats.get("pool_size", 0)
    return [
        (("size",), size),
        (("used",), size - stats.get("pool_available", 0)),
        (("max",), stats.get("pool_max", 0)),
        (("waiting",), stats.get("requests_waiting", 0)),
    ]
