"""Moves by hand, as somebody in psql would make them, and the history they leave."""

from typing import Any

from django.db import connections

from orchestration.models import StepTransition, Task, TaskTransition, WorkflowStep


def execute(statement: str, *parameters: Any) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)


def announce(text: str) -> None:
    execute("SELECT set_config('tasker.move', %s, true)", text)


def move_task(task: Task, state: str, *via: str) -> Task:
    """Move a task as somebody in psql would."""
    Task.objects.filter(pk=task.pk).update(state=state, via=list(via) or None)
    return Task.objects.get(pk=task.pk)


def move_step(step: WorkflowStep, state: str, *via: str, **columns: Any) -> WorkflowStep:
    WorkflowStep.objects.filter(pk=step.pk).update(state=state, via=list(via) or None, **columns)
    return WorkflowStep.objects.get(pk=step.pk)


def hops(row: Task | WorkflowStep) -> list[tuple[int, str | None, str, str]]:
    history: Any = (
        TaskTransition.objects.filter(task=row)
        if isinstance(row, Task)
        else StepTransition.objects.filter(workflow_step=row)
    )
    columns = ("sort_key", "from_state", "to_state", "event")
    return list(history.order_by("sort_key").values_list(*columns))
