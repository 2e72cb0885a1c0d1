"""What engine.md 9 says of operator actions: refused, or what they do to the model."""

from collections.abc import Iterable

from tests.properties.model import Model
from tests.properties.subjects import (
    CLOSED_TASK,
    FINISHED,
    TERMINAL_TASK,
    Refused,
    StepModel,
    TaskModel,
)

ACTIONS_ON_STEPS = ("reset_step", "resolve_step", "complete_step")
ACTIONS_ON_TASKS = (
    "cancel_task",
    "resolve_task",
    "give_up_task",
    "reset_task",
    "retry_failed_steps",
    "move_to_dlq",
)


def act_on_step(model: Model, action: str, step: StepModel, result: object = None) -> None:
    """Perform an action on a step; raise `Refused`, with nothing changed, when not allowed."""
    task = step.task
    if task.state in CLOSED_TASK:
        raise Refused
    if action == "reset_step":
        _allow(step.state == "error")
        _revive(task)
        _reset(model, [step])
    elif action == "resolve_step":
        _allow(step.state != "resolved_manually")
        _revive(task)
        step.enter("resolved_manually:resolve_manually", model.now)
    else:
        _allow(step.state not in FINISHED)
        _revive(task)
        step.enter("complete:complete_manually", model.now)
        step.results = (True, result)
    model.evaluate(task, "operator")


def act_on_task(model: Model, action: str, task: TaskModel) -> None:
    """Perform an action on a task; raise `Refused`, with nothing changed, when not allowed."""
    if action == "move_to_dlq":
        _allow(not task.has_dlq_entry)
        task.has_dlq_entry = True
    elif action == "cancel_task":
        _allow(task.state not in TERMINAL_TASK)
        _cancel(model, [s for s in task.steps.values() if s.state not in FINISHED])
        task.history.append("cancelled:cancel")
    elif action == "resolve_task":
        _allow(task.state not in TERMINAL_TASK)
        unfinished = [s for s in task.steps.values() if s.state not in FINISHED | {"error"}]
        _cancel(model, unfinished)
        event = "manual_resolution" if task.state == "B" else "resolve_manually"
        task.history.append(f"resolved:{event}")
    elif action == "give_up_task":
        _allow(task.state == "B")
        task.history.append("X")
    elif action == "reset_task":
        _allow(task.state == "X")
        _revive(task)
        _reset(model, task.in_states({"error"}))
        model.evaluate(task, "operator")
    else:
        failed = task.in_states({"error"})
        _allow(task.state not in CLOSED_TASK and bool(failed))
        _revive(task)
        _reset(model, failed)
        model.evaluate(task, "operator")


def _allow(condition: bool) -> None:
    if not condition:
        raise Refused


def _revive(task: TaskModel) -> None:
    if task.state == "X":
        task.history.append("P")


def _reset(model: Model, steps: Iterable[StepModel]) -> None:
    for step in steps:
        step.enter("pending:reset_for_retry", model.now)
        step.attempts = 0


def _cancel(model: Model, steps: Iterable[StepModel]) -> None:
    for step in steps:
        step.enter("cancelled:cancel", model.now)
