"""Counts and logs tasks that reached a state in which they rest, whoever brought them there.

Call it after the commit. Labels are the names of templates, never a task's own.
"""

import logging
from datetime import datetime
from typing import Any

from django.utils import timezone

from orchestration import metrics
from orchestration.runtime.log_context import log_often
from orchestration.states import TERMINAL_TASK_STATES, TaskState

log = logging.getLogger(__name__)

_LOGGED = (TaskState.COMPLETE, TaskState.BLOCKED_BY_FAILURES)


def count_end(state: str, *, namespace: str, task: str, created_at: datetime) -> None:
    """Count a task by the state it rests in, and how long that took."""
    labels = {"namespace": namespace, "task": task}
    if state == TaskState.COMPLETE:
        metrics.TASKS_COMPLETED.add(**labels)
    elif state == TaskState.CANCELLED:
        metrics.TASKS_CANCELLED.add(**labels)
    elif state in (TaskState.ERROR, TaskState.BLOCKED_BY_FAILURES):
        metrics.TASKS_FAILED.add(**labels, state=state)
    if state in TERMINAL_TASK_STATES:
        took_ms = max(0.0, (timezone.now() - created_at).total_seconds() * 1000)
        metrics.TASK_DURATION.observe(took_ms, **labels, state=state)


def is_logged(state: str) -> bool:
    """Say whether `note_end` has anything to do for a task in this state."""
    return state in _LOGGED


def note_end(
    state: str, *, namespace: str, task: str, created_at: datetime, log_fields: dict[str, Any]
) -> None:
    """Count and log a task if its steps have brought it to a rest; else do nothing."""
    if not is_logged(state):
        return
    count_end(state, namespace=namespace, task=task, created_at=created_at)
    if state == TaskState.COMPLETE:
        log_often(log, "task.completed", log_fields)
    else:
        log.error("task.blocked", extra=log_fields)
