"""What the page of one step shows besides the step: its moves and attempts, its neighbours."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import sql


class StepMove(NamedTuple):
    """One hop; the last three say how the attempt ended, where the hop was a report."""

    at: datetime
    sort_key: int
    from_state: str | None
    to_state: str
    event: str
    actor: str | None
    processor_uuid: UUID | None
    worker_uuid: UUID | None
    worker: str | None
    attempt: int
    metadata: dict[str, Any]
    success: bool | None
    execution_time_ms: int | None
    error_type: str | None

    @property
    def reason(self) -> str:
        """Why, in the words of whoever moved it."""
        return str(self.metadata.get("reason") or "")


class Neighbour(NamedTuple):
    """A step before or after another one."""

    step_uuid: UUID
    name: str
    state: str
    is_parent: bool


def find_moves(step_uuid: UUID, *, limit: int) -> list[StepMove]:
    """Return the moves of a step, the newest first."""
    rows = sql.fetch(StepMove, "step_page/moves", step_uuid=step_uuid, limit=limit)
    return [row._replace(metadata=sql.decoded(row.metadata)) for row in rows]


def find_neighbours(step_uuid: UUID, *, limit: int) -> list[Neighbour]:
    """Return the parents and children of a step, parents first, by name."""
    return sql.fetch(Neighbour, "step_page/neighbours", step_uuid=step_uuid, limit=limit)
