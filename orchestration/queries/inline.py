"""What somebody asks who runs one task by hand, in one transaction of his own: tests do.

Which steps wait, what became of all, and the clock of this session, which a test may set: whatever
the engine compares with `tasker_now()` then happens at that moment, for this session alone.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import sql


class WaitingStep(NamedTuple):
    """A step that is enqueued, or that waits until its retry is due."""

    workflow_step_uuid: UUID
    name: str
    template_step_name: str
    state: str
    next_retry_at: datetime | None


class FinalStep(NamedTuple):
    """A step as it was left, with the state of its task; `results` is the execution result."""

    task_state: str
    name: str
    template_step_name: str
    state: str
    attempts: int
    results: Any
    checkpoint: Any


def waiting_steps(task_uuid: UUID) -> list[WaitingStep]:
    """Return the steps of a task that wait for a dispatch, in no particular order."""
    return sql.fetch(WaitingStep, "inline/waiting_steps", task_uuid=task_uuid)


def final_steps(task_uuid: UUID) -> list[FinalStep]:
    """Return all steps of a task, in no particular order."""
    rows = sql.fetch(FinalStep, "inline/final_steps", task_uuid=task_uuid)
    return [
        row._replace(results=sql.decoded(row.results), checkpoint=sql.decoded(row.checkpoint))
        for row in rows
    ]


def read_clock() -> str:
    """Return the moment at which this session's clock was stopped, empty while it runs."""
    return str(sql.scalar("inline/read_clock"))


def set_clock(moment: str) -> None:
    """Stop this session's clock at a moment (ISO 8601), or let it run again with an empty text."""
    sql.scalar("inline/set_clock", moment=moment)
