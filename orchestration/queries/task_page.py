"""What the page of one task shows besides its graph: details, table of steps, moves.

Reads only; each function is one statement whatever the number of steps. The graph itself comes from
`queries/task_graph.py`.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import sql
from orchestration.states import SATISFYING_STEP_STATES

MOST_RELATIVES = 50


class TaskDetails(NamedTuple):
    """One task; `context` is None unless it was wanted, `dlq_entry` is the pending one.

    `revision` is the version number of the task as a whole: has anything changed?
    """

    task_uuid: UUID
    namespace: str
    name: str
    version: str
    named_task_uuid: UUID
    state: str
    priority: int
    initiator: str
    source_system: str
    reason: str
    tags: list[str]
    bypass_steps: list[str]
    options: dict[str, Any] | None
    context: dict[str, Any] | None
    idempotency_key: str | None
    correlation_id: UUID
    parent_correlation_id: UUID | None
    requested_at: datetime
    created_at: datetime
    state_entered_at: datetime
    completed_at: datetime | None
    revision: int
    dlq_entry: dict[str, Any] | None
    relatives: list[dict[str, Any]]


class StepLine(NamedTuple):
    """One row of the table of steps; `worker` is the name of the process that has it now."""

    step_uuid: UUID
    name: str
    step_type: str
    state: str
    attempts: int
    max_attempts: int
    next_retry_at: datetime | None
    worker: str | None
    error: str | None

    @property
    def is_done(self) -> bool:
        """Its children may run."""
        return self.state in SATISFYING_STEP_STATES


class Move(NamedTuple):
    """One hop of the task (`step_uuid` None, `step_name` empty) or of a step."""

    at: datetime
    step_uuid: UUID | None
    step_name: str
    sort_key: int
    from_state: str | None
    to_state: str
    event: str
    actor: str | None
    processor_uuid: UUID | None
    worker_uuid: UUID | None
    attempt: int | None
    metadata: dict[str, Any]

    @property
    def reason(self) -> str:
        """Why, in the words of whoever moved it."""
        return str(self.metadata.get("reason") or "")


_JSON = ("tags", "bypass_steps", "options", "context", "dlq_entry", "relatives", "metadata")


def find_details(task_uuid: UUID, *, with_context: bool) -> TaskDetails | None:
    """Return one task, None for an unknown one."""
    rows = sql.fetch(
        TaskDetails,
        "task_page/details",
        task_uuid=task_uuid,
        with_context=with_context,
        limit=MOST_RELATIVES,
    )
    return _decoded(rows[0]) if rows else None


def find_steps(task_uuid: UUID, *, limit: int) -> list[StepLine]:
    """Return the steps of a task in the order of creation."""
    return sql.fetch(StepLine, "task_page/steps", task_uuid=task_uuid, limit=limit)


def find_moves(task_uuid: UUID, *, limit: int) -> list[Move]:
    """Return the moves of a task and of its steps, the newest first."""
    return [
        _decoded(row)
        for row in sql.fetch(Move, "task_page/moves", task_uuid=task_uuid, limit=limit)
    ]


def _decoded(row: Any) -> Any:
    """Return the row with its JSON columns, which the cursor gives as text, as values."""
    values = {name: sql.decoded(getattr(row, name)) for name in _JSON if name in row._fields}
    return row._replace(**values)
