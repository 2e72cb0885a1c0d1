"""Steps as people look at them: those of one task in the order of creation, or one of them.

Reads only. Whether a step may run now is asked of `queries/readiness.py`, which looks parents up
without any filter, so a single step says the same about its parents as the list.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet

from orchestration.models import Task, WorkflowStep, WorkflowStepEdge
from orchestration.queries.scope import Scope


class StepRow(NamedTuple):
    """One step with the names of its parents."""

    step_uuid: UUID
    task_uuid: UUID
    name: str
    step_type: str
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    results: Any
    checkpoint: Any
    lease_until: datetime | None
    claimed_by: UUID | None
    requeue_count: int
    batch_id: str | None
    origin_step_uuid: UUID | None
    dependencies: list[str]


class StepPage(NamedTuple):
    """Some steps of a task, and how many the filter keeps in all."""

    rows: list[StepRow]
    total_count: int


_SOURCES: dict[str, Any] = {
    "step_uuid": F("workflow_step_uuid"),
    "task_uuid": F("task_id"),
    "origin_step_uuid": F("origin_step_id"),
    "dependencies": ArraySubquery(
        WorkflowStepEdge.objects.filter(to_step=OuterRef("pk"))
        .order_by("from_step__name")
        .values("from_step__name")
        .distinct()
    ),
}


def has_task(task_uuid: UUID, scope: Scope) -> bool:
    """Tell whether there is such a task, and it is seen."""
    seen = scope.condition("named_task__task_namespace__name")
    return Task.objects.filter(seen, pk=task_uuid).exists()


def uuid_of_step(task_uuid: UUID, name: str) -> UUID | None:
    """Return the uuid of the step of that name, None when the task has no such step."""
    steps = WorkflowStep.objects.filter(task=task_uuid, name=name)
    return steps.values_list("pk", flat=True).first()


def find_step(task_uuid: UUID, step_uuid: UUID, scope: Scope) -> StepRow | None:
    """Return one step, None when the task has no such step, or is not seen."""
    seen = scope.condition("task__named_task__task_namespace__name")
    rows = _rows(WorkflowStep.objects.filter(seen, task=task_uuid, pk=step_uuid))
    return rows[0] if rows else None


def find_steps(
    task_uuid: UUID, *, states: Sequence[str] = (), offset: int = 0, limit: int = 1000
) -> StepPage:
    """Return the steps of a task, which the caller sees, in the order of creation."""
    steps = WorkflowStep.objects.filter(task=task_uuid)
    if states:
        steps = steps.filter(state__in=states)
    ordered = steps.order_by("created_at", "workflow_step_uuid")
    return StepPage(_rows(ordered[offset : offset + limit]), steps.count())


def _rows(steps: QuerySet[WorkflowStep]) -> list[StepRow]:
    columns = [_SOURCES.get(field, F(field)) for field in StepRow._fields]
    return [StepRow._make(row) for row in steps.values_list(*columns)]
