"""The figures of the dashboard: what is going on now, what a period was like, what is slow.

Reads only; every statement takes the namespaces that are looked at, None for all of them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orchestration import sql

Namespaces = Sequence[str] | None


class Tiles(NamedTuple):
    """What is going on now; processes and queues of the engine are everybody's."""

    running: int
    waiting: int
    blocked: int
    failed_today: int
    dlq_pending: int
    orchestrators: int
    workers: int
    oldest_message_seconds: float | None


class Slice(NamedTuple):
    """One slice of a period; durations are those of the tasks completed in it."""

    at: datetime
    created: int
    finished: int
    errors: int
    median_seconds: float | None
    p95_seconds: float | None


class SlowStep(NamedTuple):
    """One step of a template with what its newest attempts were like."""

    namespace: str
    template: str
    step: str
    attempts: int
    mean_ms: float
    max_ms: float
    failures: int


def tiles(namespaces: Namespaces, *, today: datetime, fresh_seconds: float) -> Tiles:
    """Return what is going on now; `today` is the beginning of the day."""
    (found,) = sql.fetch(
        Tiles,
        "dashboard/tiles",
        namespaces=_listed(namespaces),
        today=today,
        fresh_seconds=fresh_seconds,
    )
    return found


def series(
    namespaces: Namespaces, *, start: datetime, now: datetime, slice_length: timedelta
) -> list[Slice]:
    """Return the slices of a period in order."""
    return sql.fetch(
        Slice,
        "dashboard/series",
        namespaces=_listed(namespaces),
        start=start,
        now=now,
        slice=slice_length,
    )


def slow_steps(
    namespaces: Namespaces, *, start: datetime, attempts: int, limit: int
) -> list[SlowStep]:
    """Return the slowest steps among so many of the newest attempts, since a moment at most."""
    return sql.fetch(
        SlowStep,
        "dashboard/slow_steps",
        namespaces=_listed(namespaces),
        start=start,
        attempts=attempts,
        limit=limit,
    )


def _listed(namespaces: Namespaces) -> list[str] | None:
    return None if namespaces is None else list(namespaces)
