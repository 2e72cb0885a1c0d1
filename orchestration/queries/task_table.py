"""What a list of tasks says of each besides its own row, asked once for all rows of a page."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from orchestration import sql


class Progress(NamedTuple):
    """How far a task is, and what failed last in it."""

    task_uuid: UUID
    state: str
    total_steps: int
    completed_steps: int
    failed_steps: int
    failed_step: str | None
    error: str | None
    is_in_dlq: bool


def progress_of(task_uuids: Iterable[UUID]) -> dict[UUID, Progress]:
    """Return the progress of tasks by their uuid; unknown tasks are left out."""
    rows = sql.fetch(Progress, "task_table/progress", task_uuids=list(task_uuids))
    return {row.task_uuid: row for row in rows}
