"""What people do to steps, and when that is possible."""

from collections.abc import Callable
from typing import Any

from orchestration.access.permissions import Permission
from orchestration.admin.actions import OperatorAction
from orchestration.lifecycle import operator_actions
from orchestration.lifecycle.operator_actions import CLOSED_TASK_STATES
from orchestration.models import WorkflowStep


def only_by(event: str) -> Callable[[Any], str]:
    """Return the judgement that a step is in a state which a move starts from, its task open."""
    sources = sorted({source for source, _, each in WorkflowStep.moves() if each == event})

    def why_not(step: Any) -> str:
        if step.task_state in CLOSED_TASK_STATES:
            return f"the task is {step.task_state}"
        if step.state in sources:
            return ""
        return f"the state is {step.state}; it must be {' or '.join(sources)}"

    return why_not


why_not_complete = only_by("complete_manually")
STEP_ACTIONS = (
    OperatorAction(
        "reset",
        "Let the selected steps, which are in error, run again",
        "Reset",
        "reset",
        Permission.STEPS_RESOLVE,
        operator_actions.reset_step,
        only_by("reset_for_retry"),
    ),
    OperatorAction(
        "resolve",
        "Treat the selected steps as done",
        "Resolve",
        "resolved",
        Permission.STEPS_RESOLVE,
        operator_actions.resolve_step,
        only_by("resolve_manually"),
    ),
)
