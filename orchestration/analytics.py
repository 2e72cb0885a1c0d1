"""Analytics: what a period was like, what is slow, and what to do about it.

The functions behind the API's analytics and those of the command line (api-and-operations 1.12).
They look at whole periods, so their answers are kept for a minute in Django's cache, for each set
of namespaces apart. A cache that fails is left out: the answer is read directly.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from django.core.cache import cache

from orchestration.health import pool_use
from orchestration.queries import analytics
from orchestration.queries.analytics import PeriodMetrics, SlowStepGroup, SlowTaskGroup
from orchestration.queries.scope import Scope

log = logging.getLogger(__name__)

KEPT_SECONDS = 60
FAILING_SHARE = 0.2
BUSY_SHARE = 0.8
SLOW_SECONDS = 30
Found = TypeVar("Found", bound=tuple[Any, ...])


class Performance(NamedTuple):
    """A period in numbers; rates are shares of the tasks that completed or failed in it."""

    total_tasks: int
    active_tasks: int
    completed_tasks: int
    failed_tasks: int
    completion_rate: float
    error_rate: float
    average_task_duration_seconds: float
    average_step_duration_seconds: float
    tasks_per_hour: float
    steps_per_hour: float
    system_health_score: float
    analysis_period_start: datetime
    calculated_at: datetime


class SystemHealth(NamedTuple):
    """How the whole deployment does."""

    health_score: float
    under_heavy_load: bool
    active_connections: int
    max_connections: int


class ResourceUtilization(NamedTuple):
    """How busy this process and the database are."""

    database_pool_utilization: float
    system_health: SystemHealth


class Bottlenecks(NamedTuple):
    """What is slow or fails, and what to do about it."""

    slow_steps: list[SlowStepGroup]
    slow_tasks: list[SlowTaskGroup]
    resource_utilization: ResourceUtilization
    recommendations: list[str]


def performance(scope: Scope, *, hours: int, namespace: str | None = None) -> Performance:
    """Return what the last hours were like in one namespace, or in all that are seen."""
    namespaces = _seen(scope, namespace)
    return _kept(
        Performance,
        {"namespaces": namespaces, "hours": hours},
        lambda: _performance(analytics.performance(namespaces, hours=hours), hours),
    )


def bottlenecks(
    scope: Scope, *, hours: int, limit: int, min_executions: int, namespace: str | None = None
) -> Bottlenecks:
    """Return the slowest steps and templates of the last hours; those rarely run are left out."""
    namespaces = _seen(scope, namespace)
    asked = {"hours": hours, "limit": limit, "min_executions": min_executions}

    def read() -> Bottlenecks:
        steps = analytics.slow_steps(namespaces, **asked)
        tasks = analytics.slow_tasks(namespaces, **asked)
        utilization = _utilization()
        advice = list(_recommendations(steps, utilization.database_pool_utilization))
        return Bottlenecks(steps, tasks, utilization, advice)

    return _kept(Bottlenecks, {"namespaces": namespaces, **asked}, read)


def _seen(scope: Scope, namespace: str | None) -> list[str] | None:
    """Return the namespaces to look at; one that is not seen is like one without tasks."""
    if namespace is None:
        return scope.as_parameter()
    return [namespace] if scope.includes(namespace) else []


def _performance(found: PeriodMetrics, hours: int) -> Performance:
    return Performance(
        total_tasks=found.task_throughput,
        active_tasks=found.active_tasks_count,
        completed_tasks=found.completion_count,
        failed_tasks=found.error_count,
        completion_rate=round(float(found.completion_rate) / 100, 4),
        error_rate=round(float(found.error_rate) / 100, 4),
        average_task_duration_seconds=float(found.avg_task_duration),
        average_step_duration_seconds=float(found.avg_step_duration),
        tasks_per_hour=round(found.task_throughput / hours, 3),
        steps_per_hour=round(found.step_throughput / hours, 3),
        system_health_score=float(found.system_health_score),
        analysis_period_start=found.analysis_period_start,
        calculated_at=found.calculated_at,
    )


def _utilization() -> ResourceUtilization:
    load = analytics.system_load()
    health = SystemHealth(
        load.health_score, load.is_under_heavy_load, load.active_connections, load.max_connections
    )
    return ResourceUtilization(round(pool_use().share, 3), health)


def _recommendations(steps: Sequence[SlowStepGroup], pool_share: float) -> Iterator[str]:
    """Yield sentences that say what is wrong and what helps."""
    for each in steps:
        template = f"{each.namespace_name}/{each.task_name}@{each.version}"
        step = f"Step '{each.step_name}' of {template}"
        if each.error_rate > FAILING_SHARE:
            yield (
                f"{step} failed in {each.error_count} of {each.execution_count} attempts: look at "
                "the errors of its newest ones"
            )
        if each.average_duration_seconds > SLOW_SECONDS:
            yield (
                f"{step} takes {each.average_duration_seconds:.0f} s on average: split it, or make "
                "it a batch"
            )
    if pool_share > BUSY_SHARE:
        yield (
            f"{pool_share:.0%} of this process's database connections are in "
            "use: raise DB_POOL_SIZE, or start more processes"
        )


def _kept(kind: type[Found], asked: Mapping[str, Any], read: Callable[[], Found]) -> Found:
    """Return the answer to a question from the cache, or read it and keep it."""
    text = json.dumps(asked, sort_keys=True).encode()
    key = f"tasker:analytics:{kind.__name__}:{sha256(text).hexdigest()}"
    found = _tolerated(lambda: cache.get(key))
    if isinstance(found, kind):
        return found
    answer = read()
    _tolerated(lambda: cache.set(key, answer, KEPT_SECONDS))
    return answer


def _tolerated(use_cache: Callable[[], Any]) -> Any:
    """Return what the cache says; nothing when it fails, in whatever way its backend does."""
    try:
        return use_cache()
    except Exception as error:  # noqa: BLE001 each backend has its own errors
        log.warning("analytics.cache_failed", extra={"error": type(error).__name__})
        return None
