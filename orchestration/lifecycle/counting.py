"""What the lifecycle counts about tasks; labels are the names of templates, never a task's own.

Called after the commit, or where a repetition does no harm.
"""

from collections.abc import Sequence
from typing import Protocol

from orchestration import metrics

ACTIONS = {
    "enqueue": "reenqueued",
    "in_flight": "waiting",
    "retry": "waiting",
    "idle": "waiting",
    "blocked": "blocked",
    "finished": "completed",
}
HOUR_SECONDS, DAY_SECONDS = 3600, 86_400


class Evaluated(Protocol):
    """What counting needs of an answer of the finalizer."""

    @property
    def goal(self) -> str:
        """What the steps of the task call for."""

    @property
    def moved(self) -> bool:
        """It was moved there now."""


def count_evaluation(answers: Sequence[Evaluated], *, seconds: float) -> None:
    """Note what was decided about tasks, and each one's share of the time it took."""
    share_ms = seconds * 1000 / len(answers)
    for answer in answers:
        action = ACTIONS[answer.goal] if answer.moved else "no_action"
        metrics.TASK_FINALIZATION.observe(share_ms, action=action)


def age_bucket(seconds: float) -> str:
    """Return which of three groups an age belongs to."""
    if seconds < HOUR_SECONDS:
        return "lt_1h"
    return "lt_24h" if seconds < DAY_SECONDS else "older"
