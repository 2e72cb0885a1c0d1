"""What the lifecycle counts about tasks; labels are the names of templates, never a task's own.

Called after the commit, or where a repetition does no harm.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.utils import timezone

from orchestration import metrics
from orchestration.queries.template_names import template_name
from orchestration.states import TERMINAL_TASK_STATES, TaskState

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


def count_end(named_task_uuid: UUID, state: str, *, created_at: datetime) -> None:
    """Count a task that reached a state in which it rests, and how long that took."""
    labels = template_name(named_task_uuid)._asdict()
    if state == TaskState.COMPLETE:
        metrics.TASKS_COMPLETED.add(**labels)
    elif state == TaskState.CANCELLED:
        metrics.TASKS_CANCELLED.add(**labels)
    elif state in (TaskState.ERROR, TaskState.BLOCKED_BY_FAILURES):
        metrics.TASKS_FAILED.add(**labels, state=state)
    if state in TERMINAL_TASK_STATES:
        took_ms = max(0.0, (timezone.now() - created_at).total_seconds() * 1000)
        metrics.TASK_DURATION.observe(took_ms, **labels, state=state)


def age_bucket(seconds: float) -> str:
    """Return which of three groups an age belongs to."""
    if seconds < HOUR_SECONDS:
        return "lt_1h"
    return "lt_24h" if seconds < DAY_SECONDS else "older"
