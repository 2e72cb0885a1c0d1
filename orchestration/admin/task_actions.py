"""What people do to tasks, and when that is possible."""

from collections.abc import Callable
from typing import Any

from orchestration.access.permissions import Permission
from orchestration.admin.actions import OperatorAction
from orchestration.lifecycle import operator_actions
from orchestration.lifecycle.operator_actions import CLOSED_TASK_STATES
from orchestration.models import Task


def only_by(*events: str) -> Callable[[Any], str]:
    """Return the judgement that an action needs a state which one of the moves starts from."""
    sources = sorted({source for source, _, event in Task.moves() if event in events})

    def why_not(task: Any) -> str:
        if task.state in sources:
            return ""
        return f"the state is {task.state}; it must be {' or '.join(sources)}"

    return why_not


def _has_no_failed_step(task: Any) -> str:
    if task.state in CLOSED_TASK_STATES:
        return f"the task is {task.state}"
    return "" if task.progress and task.progress.failed_steps else "none of its steps is in error"


TASK_ACTIONS = (
    OperatorAction(
        "retry_failed_steps",
        "Retry the failed steps of the selected tasks",
        "Retry failed steps",
        "retried",
        Permission.STEPS_RESOLVE,
        operator_actions.retry_failed_steps,
        _has_no_failed_step,
    ),
    OperatorAction(
        "cancel",
        "Cancel the selected tasks",
        "Cancel",
        "cancelled",
        Permission.TASKS_CANCEL,
        operator_actions.cancel_task,
        only_by("cancel"),
        is_dangerous=True,
    ),
    OperatorAction(
        "resolve",
        "Close the selected tasks by hand",
        "Resolve",
        "resolved",
        Permission.TASKS_CANCEL,
        operator_actions.resolve_task,
        only_by("resolve_manually"),
    ),
    OperatorAction(
        "give_up",
        "Give the selected tasks up",
        "Give up",
        "given up",
        Permission.TASKS_CANCEL,
        operator_actions.give_up_task,
        only_by("give_up"),
        is_dangerous=True,
    ),
    OperatorAction(
        "reset",
        "Reset the selected tasks, which are in error",
        "Reset",
        "reset",
        Permission.STEPS_RESOLVE,
        operator_actions.reset_task,
        only_by("reset"),
    ),
)
