"""What went wrong in the steps of a task, in types and codes only: safe for whoever may read it."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from orchestration import sql


class StepFailure(NamedTuple):
    """The failure that a step's newest attempt reported."""

    step_uuid: UUID
    error_type: str | None
    retryable: bool | None
    status_code: Decimal | None


def find_errors(task_uuid: UUID) -> dict[UUID, StepFailure]:
    """Return the failures of a task's steps by step."""
    rows = sql.fetch(StepFailure, "task_summary/errors", task_uuid=task_uuid)
    return {row.step_uuid: row for row in rows}
