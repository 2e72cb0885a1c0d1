"""Everything that a picture of a task shows: the task, its steps and the revision it is bound to.

Two statements, however many steps there are; the task is read first, so that a task seen as done is
never drawn with steps that were not there yet. `pictures/` turns the answer into text.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from orchestration import sql
from templates_registry import registry
from templates_registry.schema import TaskTemplate


class TaskHead(NamedTuple):
    """One task, at the moment `seen_at` of the engine's clock."""

    task_uuid: UUID
    namespace: str
    name: str
    version: str
    state: str
    created_at: datetime
    completed_at: datetime | None
    seen_at: datetime
    completion_percentage: Decimal
    health_status: str
    dlq_reason: str | None  # of the pending entry, if there is one
    named_task_uuid: UUID
    digest: str


class GraphStep(NamedTuple):
    """One step that exists."""

    step_uuid: UUID
    name: str
    step_type: str
    state: str
    attempts: int
    max_attempts: int
    batch_id: str | None
    created_at: datetime
    last_attempted_at: datetime | None
    completed_at: datetime | None
    error_type: str | None


class TaskGraph(NamedTuple):
    """A task with its steps, and the template content that says how they hang together."""

    task: TaskHead
    steps: list[GraphStep]
    template: TaskTemplate


def find_task_graph(task_uuid: UUID) -> TaskGraph | None:
    """Return a task with its steps in no order, None for an unknown one."""
    heads = sql.fetch(TaskHead, "task_graph/task", task_uuid=task_uuid)
    if not heads:
        return None
    steps = sql.fetch(GraphStep, "task_graph/steps", task_uuid=task_uuid)
    template = registry.revision(heads[0].named_task_uuid, heads[0].digest)
    return TaskGraph(heads[0], steps, template)
