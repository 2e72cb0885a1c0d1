"""What `/metrics` tells about the database: tasks, queues, investigations, processes.

Reads only. Every statement ends at a time, and every count but that of `measure_load` at a limit,
so a scrape costs the same whatever the tables hold; a gauge that shows the limit says "at least so
many".
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from orchestration import sql
from orchestration.queries.analytics import SystemLoad, system_load
from orchestration.queries.pressure import limited_statements

MOST_COUNTED = 100_000
TIME_LIMIT_MS = 1000


class TasksInState(NamedTuple):
    """Unfinished tasks of one state."""

    state: str
    tasks: int
    oldest_seconds: float


class QueueFigures(NamedTuple):
    """One queue; those of the engine have no namespace."""

    queue: str
    namespace: str
    depth: int
    visible: int
    archived: int
    oldest_age_seconds: float


class Amount(NamedTuple):
    """So many of one kind."""

    label: str
    amount: int


class Figures(NamedTuple):
    """All that is measured for a scrape."""

    tasks: list[TasksInState]
    queues: list[QueueFigures]
    awaiting: list[Amount]
    investigations: list[Amount]
    processes: list[Amount]


def measure(*, engine_queues: Sequence[str], fresh_seconds: float) -> Figures:
    """Measure everything in one transaction; raises OperationalError when that takes too long."""
    with transaction.atomic(), limited_statements(TIME_LIMIT_MS):
        return Figures(
            tasks=sql.fetch(TasksInState, "gauges/tasks", limit=MOST_COUNTED),
            queues=sql.fetch(
                QueueFigures,
                "gauges/queues",
                orchestration=list(engine_queues),
                limit=MOST_COUNTED,
            ),
            awaiting=sql.fetch(Amount, "gauges/awaiting", limit=MOST_COUNTED),
            investigations=sql.fetch(Amount, "gauges/investigations", limit=MOST_COUNTED),
            processes=sql.fetch(Amount, "gauges/processes", fresh_seconds=fresh_seconds),
        )


def measure_load() -> SystemLoad:
    """Count all tasks; raises OperationalError when that takes too long, as with many millions."""
    with transaction.atomic(), limited_statements(TIME_LIMIT_MS):
        return system_load()
