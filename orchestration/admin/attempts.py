"""The attempts of a step, put together from its moves: who, from when until when, how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestration.pictures.durations import duration_text
from orchestration.queries.step_page import StepMove
from orchestration.states import StepState


@dataclass(slots=True)
class Attempt:
    """One claim of a step, until the worker reported or lost it."""

    number: int
    began_at: datetime
    worker: str
    ended_at: datetime | None = None
    outcome: str = "running"
    error_type: str = ""
    execution_ms: int | None = None

    @property
    def duration(self) -> str:
        """How long it was with the worker."""
        return duration_text(self.ended_at - self.began_at) if self.ended_at else ""


def attempts_of(moves: Sequence[StepMove]) -> list[Attempt]:
    """Return the attempts, the newest first; `moves` are the newest first too."""
    found: list[Attempt] = []
    for move in reversed(moves):
        if move.to_state == StepState.IN_PROGRESS:
            worker = move.worker or (str(move.worker_uuid)[-8:] if move.worker_uuid else "")
            found.append(Attempt(move.attempt, move.at, worker))
        elif move.from_state == StepState.IN_PROGRESS and found:
            attempt = found[-1]
            attempt.ended_at = move.at
            attempt.outcome = _outcome(move)
            attempt.error_type = move.error_type or ""
            attempt.execution_ms = move.execution_time_ms
    return found[::-1]


def _outcome(move: StepMove) -> str:
    if move.success is None:
        return move.event.replace("_", " ")
    return "success" if move.success else "failure"
