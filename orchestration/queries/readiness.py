"""What may run and what comes next, asked of the database for whole sets of tasks.

Reads only, in the caller's transaction; the decisions are made in `lifecycle/task_finalizer.py`
from what `task_contexts` answers. Only `next_ready_tasks` locks: the tasks it returns belong to the
caller until its transaction ends.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from orchestration import sql
from orchestration.queries.tasks import NewTask
from orchestration.states import TaskState


class TaskContext(NamedTuple):
    """What the steps of one task add up to (engine.md 5.3); `status` is the task's state.

    The last two say which flow it belongs to and how old it is, for log lines and metrics.
    """

    task_uuid: UUID
    named_task_uuid: UUID
    status: str
    total_steps: int
    pending_steps: int
    in_progress_steps: int
    completed_steps: int
    failed_steps: int
    ready_steps: int
    execution_status: str
    recommended_action: str
    completion_percentage: Decimal
    health_status: str
    enqueued_steps: int
    waiting_for_retry_steps: int
    cancelled_steps: int
    blocked_steps: int
    correlation_id: UUID
    created_at: datetime


def context_of_new(new: NewTask, *, named_task_uuid: UUID, steps: int, ready: int) -> TaskContext:
    """Return what `task_contexts` answers about a task whose steps have just been inserted."""
    return TaskContext(
        task_uuid=new.task_uuid,
        named_task_uuid=named_task_uuid,
        status=TaskState.PENDING.value,
        total_steps=steps,
        pending_steps=steps,
        in_progress_steps=0,
        completed_steps=0,
        failed_steps=0,
        ready_steps=ready,
        execution_status="has_ready_steps" if ready else "waiting_for_dependencies",
        recommended_action="execute_ready_steps" if ready else "wait_for_dependencies",
        completion_percentage=Decimal("0.00"),
        health_status="healthy",
        enqueued_steps=0,
        waiting_for_retry_steps=0,
        cancelled_steps=0,
        blocked_steps=0,
        correlation_id=new.correlation_id,
        created_at=new.created_at,
    )


class StepReadiness(NamedTuple):
    """Whether one step may run now, and what that depends on (engine.md 5.2)."""

    workflow_step_uuid: UUID
    task_uuid: UUID
    named_step_uuid: UUID
    name: str
    current_state: str
    dependencies_satisfied: bool
    retry_eligible: bool
    ready_for_execution: bool
    last_failure_at: datetime | None
    next_retry_at: datetime | None
    total_parents: int
    completed_parents: int
    attempts: int
    max_attempts: int
    backoff_request_seconds: float | None
    last_attempted_at: datetime | None


class ReadyTask(NamedTuple):
    """One task that discovery lets in, locked for the caller."""

    task_uuid: UUID
    task_name: str
    priority: int
    namespace_name: str
    ready_steps_count: int
    computed_priority: Decimal
    current_state: str


class StuckTask(NamedTuple):
    """One task in an active state that showed no sign of life for too long."""

    task_uuid: UUID
    current_state: str
    processor_uuid: UUID | None
    stuck_duration_minutes: int
    reason: str


def task_contexts(task_uuids: Iterable[UUID]) -> list[TaskContext]:
    """Return the execution contexts of tasks in uuid order; unknown tasks are left out."""
    return sql.fetch(TaskContext, "readiness/task_contexts", task_uuids=list(task_uuids))


def step_readiness(
    task_uuids: Iterable[UUID], step_uuids: Iterable[UUID] | None = None
) -> list[StepReadiness]:
    """Return the readiness of the steps of tasks, or of the named ones among them."""
    return sql.fetch(
        StepReadiness,
        "readiness/step_readiness",
        task_uuids=list(task_uuids),
        step_uuids=None if step_uuids is None else list(step_uuids),
    )


def next_ready_tasks(*, limit: int, closed_namespaces: Iterable[str] = ()) -> list[ReadyTask]:
    """Lock the next tasks to start or resume and return them, best effective priority first.

    Tasks that somebody else holds are skipped; call it in the transaction that starts the tasks.
    """
    return sql.fetch(
        ReadyTask,
        "readiness/next_ready_tasks",
        limit=limit,
        closed_namespaces=list(closed_namespaces),
    )


def stuck_tasks(*, minutes: int) -> list[StuckTask]:
    """Return the active tasks that showed no sign of life for longer than that."""
    return sql.fetch(StuckTask, "readiness/stuck_tasks", minutes=minutes)
