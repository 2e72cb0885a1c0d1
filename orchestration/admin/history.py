"""The history of a task or a step as rows for people: all moves, the newest first."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from orchestration.admin.display import state_badge
from orchestration.models import StepTransition, TaskTransition

MOST_MOVES = 500


class Move(NamedTuple):
    """One hop of the task (`subject` empty) or of a step."""

    at: datetime
    subject: str
    sort_key: int
    from_state: str | None
    to_state: str
    event: str
    actor: str | None
    metadata: dict[str, Any]

    @property
    def reason(self) -> str:
        """Why, in the words of whoever moved it."""
        return str(self.metadata.get("reason") or "")

    @property
    def from_badge(self) -> str:
        """The state left, with its colour."""
        return state_badge(self.from_state) if self.from_state else "created"

    @property
    def to_badge(self) -> str:
        """The state entered, with its colour."""
        return state_badge(self.to_state)


COLUMNS = ("sort_key", "from_state", "to_state", "event", "actor", "metadata")


def moves_of_task(task_uuid: UUID) -> list[Move]:
    """Return the newest moves of a task and of its steps, in two queries."""
    own = TaskTransition.objects.filter(task=task_uuid).values_list("created_at", *COLUMNS)
    steps = StepTransition.objects.filter(workflow_step__task=task_uuid)
    found = [Move(at, "", *rest) for at, *rest in _newest(own)]
    found += _step_moves(steps)
    return sorted(found, key=lambda move: (move.at, move.subject, move.sort_key), reverse=True)[
        :MOST_MOVES
    ]


def moves_of_step(step_uuid: UUID) -> list[Move]:
    """Return the newest moves of a step."""
    return _step_moves(StepTransition.objects.filter(workflow_step=step_uuid))


def _step_moves(moves: QuerySet[StepTransition]) -> list[Move]:
    columns = moves.values_list("created_at", "workflow_step__name", *COLUMNS)
    return [Move(*row) for row in _newest(columns)]


def _newest(moves: Any) -> Iterable[Any]:
    return list(moves.order_by("-created_at", "-sort_key")[:MOST_MOVES])
