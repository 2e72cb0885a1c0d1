"""Tasks as people look at them: one row, or one page of those that a filter keeps.

Reads only. What the steps of the tasks add up to is asked of `queries/readiness.py`, once for all
rows. Contexts may be large and are left in the database unless they are wanted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, JSONField, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from orchestration import sql
from orchestration.errors import InvalidRequestError, Problem
from orchestration.models import Task, WorkflowStep
from orchestration.models.task import TaskQuerySet
from orchestration.queries.counting import Count, count_rows
from orchestration.queries.scope import Scope


class TaskRow(NamedTuple):
    """One task with the name of its template; `context` is None unless it was wanted."""

    task_uuid: UUID
    name: str
    namespace: str
    version: str
    status: str
    created_at: datetime
    updated_at: datetime
    requested_at: datetime
    completed_at: datetime | None
    initiator: str
    source_system: str
    reason: str
    priority: int
    tags: list[str]
    options: dict[str, Any] | None
    correlation_id: UUID
    parent_correlation_id: UUID | None
    revision: int
    context: dict[str, Any] | None


class TaskPage(NamedTuple):
    """The rows of one page, and how many there are on all pages; `total` is None behind a task."""

    rows: list[TaskRow]
    total: Count | None
    has_next: bool


Times = tuple[datetime | None, datetime | None]
"""From (inclusive) and until (exclusive)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """What a list of tasks is narrowed to; an empty field narrows nothing."""

    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # all of them
    initiator: str | None = None
    source_system: str | None = None
    correlation_id: UUID | None = None
    parent_correlation_id: UUID | None = None
    created: Times = (None, None)
    updated: Times = (None, None)
    completed: Times = (None, None)
    priority_min: int | None = None
    priority_max: int | None = None


MOST_COUNTED = 10_000
"""Above that the number of all tasks is a guess; a page shall not wait for it."""
_JSON_COLUMNS = ("tags", "options", "context")
_NAMESPACE = "named_task__task_namespace__name"
# Field of the row -> where it comes from, where that is not a column of the same name.
_SOURCES: dict[str, Any] = {
    "name": F("named_task__name"),
    "namespace": F(_NAMESPACE),
    "version": F("named_task__version"),
    "status": F("state"),
    "revision": F("state_version")
    + Coalesce(
        Subquery(
            WorkflowStep.objects.filter(task=OuterRef("pk"))
            .order_by()
            .values("task")
            .annotate(total=Sum("state_version"))
            .values("total")
        ),
        0,
    ),
}


def find_task(task_uuid: UUID, scope: Scope) -> TaskRow | None:
    """Return one task with its context, None for one that is unknown or not seen.

    Every request that creates a task ends here: as a statement of ours, since making it from
    `_SOURCES` each time costs as much again as all of its execution.
    """
    rows = sql.fetch(
        TaskRow, "task_table/one", task_uuid=task_uuid, namespaces=scope.as_parameter()
    )
    for row in rows:
        return row._replace(**{name: sql.decoded(getattr(row, name)) for name in _JSON_COLUMNS})
    return None


def find_tasks(
    wanted: TaskFilter,
    scope: Scope,
    *,
    order: str,
    page: int,
    per_page: int,
    with_context: bool = False,
) -> TaskPage:
    """Return a page of tasks in two queries; `order` is a column, `-` in front reverses it.

    There is a third query where the tasks are so many that their number is a guess.
    """
    kept = _kept(wanted, scope)
    total = count_rows(kept, most=MOST_COUNTED)
    start = (page - 1) * per_page
    if total.is_exact and start >= total.number:
        return TaskPage([], total, has_next=False)
    rows = _rows(kept, order, slice(start, start + per_page + 1), with_context=with_context)
    return TaskPage(rows[:per_page], total, has_next=len(rows) > per_page)


def find_tasks_behind(
    after: UUID, wanted: TaskFilter, scope: Scope, *, per_page: int, with_context: bool = False
) -> TaskPage:
    """Return the tasks that follow one of them when the newest comes first, in two queries.

    However far from the newest that is, it takes the same time: nothing before is read, nothing is
    counted. Raises `InvalidRequestError` when the caller sees no task `after`.
    """
    seen = Task.objects.filter(scope.condition(_NAMESPACE), pk=after)
    created_at = seen.values_list("created_at", flat=True).first()
    if created_at is None:
        problem = Problem("after", f"there is no task {after}; begin without it")
        raise InvalidRequestError("The list cannot go on", problems=[problem])
    kept = _kept(wanted, scope).filter(created_at__lte=created_at)
    behind = kept.exclude(created_at=created_at, pk__gte=after)
    rows = _rows(behind, "-created_at", slice(0, per_page + 1), with_context=with_context)
    return TaskPage(rows[:per_page], None, has_next=len(rows) > per_page)


def _kept(wanted: TaskFilter, scope: Scope) -> TaskQuerySet:
    return Task.objects.filter(condition_of(wanted), scope.condition(_NAMESPACE))


def _rows(kept: TaskQuerySet, order: str, place: slice, *, with_context: bool) -> list[TaskRow]:
    tie = "-task_uuid" if order.startswith("-") else "task_uuid"
    # The ids first: else the revision of every row before the page would be summed up as well
    # (page 4,000 of 100,000 tasks: 696 ms, this way 57).
    ids = kept.order_by(order, tie).values("pk")[place]
    tasks = Task.objects.filter(pk__in=ids).order_by(order, tie)
    hidden = {} if with_context else {"context": Value(None, JSONField())}
    sources = _SOURCES | hidden
    columns = [sources.get(field, F(field)) for field in TaskRow._fields]
    return [TaskRow._make(row) for row in tasks.values_list(*columns)]


def condition_of(wanted: TaskFilter) -> Q:
    """Return a filter as a condition on tasks."""
    kept = Q()
    for field, values in _CHOICES.items():
        if chosen := getattr(wanted, values):
            kept &= Q(**{f"{field}__in": chosen})
    for field in ("initiator", "source_system", "correlation_id", "parent_correlation_id"):
        if (value := getattr(wanted, field)) is not None:
            kept &= Q(**{field: value})
    for column in ("created", "updated", "completed"):
        kept &= _between(f"{column}_at", getattr(wanted, column), below="lt")
    kept &= _between("priority", (wanted.priority_min, wanted.priority_max), below="lte")
    if wanted.tags:
        kept &= Q(tags__contains=list(wanted.tags))
    return kept


_CHOICES = {
    _NAMESPACE: "namespaces",
    "named_task__name": "names",
    "named_task__version": "versions",
    "state": "states",
}


def _between(field: str, limits: tuple[Any, Any], *, below: str) -> Q:
    least, greatest = limits
    kept = Q()
    if least is not None:
        kept &= Q(**{f"{field}__gte": least})
    if greatest is not None:
        kept &= Q(**{f"{field}__{below}": greatest})
    return kept
