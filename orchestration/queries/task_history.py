"""The history of a task as programs read it: the moves of the task and of its steps in order."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import sql


class TaskMove(NamedTuple):
    """One hop; `subject` is `task` or `step`, `duration_ms` the time spent in `from_state`."""

    subject: str
    step_uuid: UUID | None
    step_name: str | None
    sort_key: int
    from_state: str | None
    to_state: str
    event: str
    created_at: datetime
    duration_ms: int | None
    processor_uuid: UUID | None
    worker_uuid: UUID | None
    attempt: int | None
    actor: str | None
    reason: str | None
    metadata: dict[str, Any]


def find_moves(
    task_uuid: UUID, *, subject: str | None = None, limit: int, offset: int = 0
) -> list[TaskMove]:
    """Return moves by time; of those of one moment the task's first, and each row's in order."""
    rows = sql.fetch(
        TaskMove,
        "task_history/moves",
        task_uuid=task_uuid,
        subject=subject,
        limit=limit,
        offset=offset,
    )
    return [row._replace(metadata=sql.decoded(row.metadata)) for row in rows]
