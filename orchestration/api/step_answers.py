"""The answers about steps, put together from a few queries each (api-and-operations 1.9)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from orchestration.api.step_bodies import step_bodies
from orchestration.errors import NotFoundError
from orchestration.queries.readiness import step_readiness
from orchestration.queries.scope import Scope
from orchestration.queries.step_list import StepRow, find_step


def require_step(task_uuid: UUID, step_uuid: UUID, scope: Scope) -> StepRow:
    """Return a step; raise `NotFoundError` for one of another task, or not seen."""
    row = find_step(task_uuid, step_uuid, scope)
    if row is None:
        raise NotFoundError(f"Task {task_uuid} has no step {step_uuid}")
    return row


def step_answer(task_uuid: UUID, step_uuid: UUID, scope: Scope) -> dict[str, Any]:
    """Return the body about one step in two queries; raises `NotFoundError`."""
    return step_answers(task_uuid, [require_step(task_uuid, step_uuid, scope)])[0]


def step_answers(task_uuid: UUID, rows: Sequence[StepRow]) -> list[dict[str, Any]]:
    """Return the bodies about some steps; their readiness comes from one query."""
    if not rows:
        return []
    found = step_readiness([task_uuid], [row.step_uuid for row in rows])
    readiness = {each.workflow_step_uuid: each for each in found}
    return step_bodies(
        (row, readiness[row.step_uuid]) for row in rows if row.step_uuid in readiness
    )
