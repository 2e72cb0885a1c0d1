"""What a period was like, and what was slow in it, asked of the database's own functions.

Reads only; the namespaces are those that the reader sees, None for all of them. The statements look
at whole periods: `orchestration/analytics.py` keeps their answers for a while.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from orchestration import sql

Namespaces = list[str] | None


class PeriodMetrics(NamedTuple):
    """A period in numbers (engine.md 5.7); rates are percentages, durations seconds."""

    active_tasks_count: int
    total_namespaces_count: int
    unique_task_types_count: int
    system_health_score: Decimal
    task_throughput: int
    completion_count: int
    error_count: int
    completion_rate: Decimal
    error_rate: Decimal
    avg_task_duration: Decimal
    avg_step_duration: Decimal
    step_throughput: int
    analysis_period_start: datetime
    calculated_at: datetime


class SlowStepGroup(NamedTuple):
    """The executions of one step of a template; an execution is an attempt that reported."""

    namespace_name: str
    task_name: str
    version: str
    step_name: str
    average_duration_seconds: Decimal
    max_duration_seconds: Decimal
    execution_count: int
    error_count: int
    error_rate: Decimal
    last_executed_at: datetime


class SlowTaskGroup(NamedTuple):
    """The executions of one template; an execution is a task that ended or was blocked."""

    namespace_name: str
    task_name: str
    version: str
    average_duration_seconds: Decimal
    max_duration_seconds: Decimal
    execution_count: int
    average_step_count: Decimal
    error_count: int
    error_rate: Decimal
    last_executed_at: datetime


class SystemLoad(NamedTuple):
    """How much there is in all namespaces, how much went well, how busy the server is."""

    total_tasks: int
    complete_tasks: int
    error_tasks: int
    active_connections: int
    max_connections: int

    @property
    def connection_share(self) -> float:
        """Connections in use, of those that the server allows."""
        return min(self.active_connections / self.max_connections, 1.0)

    @property
    def health_score(self) -> float:
        """From 0 to 1; the formula is that of engine.md 5.7."""
        if not self.total_tasks:
            return 1.0
        complete, errors = self.complete_tasks, self.error_tasks
        score = 0.5 * complete / self.total_tasks + 0.3 * (1 - errors / self.total_tasks)
        return round(score + 0.2 * (1 - self.connection_share), 3)

    @property
    def is_under_heavy_load(self) -> bool:
        """Many connections are in use, or many tasks failed."""
        failing = self.total_tasks and self.error_tasks / self.total_tasks > 0.2
        return self.connection_share > 0.8 or bool(failing)


def performance(namespaces: Namespaces, *, hours: int) -> PeriodMetrics:
    """Return what the last hours were like."""
    (found,) = sql.fetch(PeriodMetrics, "analytics/performance", hours=hours, namespaces=namespaces)
    return found


def slow_steps(
    namespaces: Namespaces, *, hours: int, limit: int, min_executions: int
) -> list[SlowStepGroup]:
    """Return the slowest steps of templates in the last hours."""
    return sql.fetch(
        SlowStepGroup,
        "analytics/slow_steps",
        hours=hours,
        limit=limit,
        min_executions=min_executions,
        namespaces=namespaces,
    )


def slow_tasks(
    namespaces: Namespaces, *, hours: int, limit: int, min_executions: int
) -> list[SlowTaskGroup]:
    """Return the slowest templates in the last hours."""
    return sql.fetch(
        SlowTaskGroup,
        "analytics/slow_tasks",
        hours=hours,
        limit=limit,
        min_executions=min_executions,
        namespaces=namespaces,
    )


def system_load() -> SystemLoad:
    """Return how busy the whole deployment is."""
    (found,) = sql.fetch(SystemLoad, "analytics/system_load")
    return found
