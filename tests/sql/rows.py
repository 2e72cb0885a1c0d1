"""Rows for the tests of SQL functions: a task of any graph, and the answers as dicts.

A graph maps each step to its parents; steps start in `pending` unless `states` says otherwise.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections

from orchestration.models import Task, WorkflowStep
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory
from templates_registry.schema import TaskTemplate

Graph = Mapping[str, Iterable[str]]


class Built:
    """A task with its steps by name."""

    def __init__(self, task: Task, steps: dict[str, WorkflowStep]) -> None:
        self.task, self.steps = task, steps

    @property
    def uuid(self) -> UUID:
        """Return the task's uuid."""
        return self.task.task_uuid

    def __getitem__(self, name: str) -> UUID:
        return self.steps[name].workflow_step_uuid

    def move(self, state: str, *names: str, **columns: Any) -> None:
        """Move steps by hand, as somebody in psql would."""
        moved = WorkflowStep.objects.filter(task=self.task, name__in=names)
        assert moved.update(state=state, **columns) == len(names)

    def names(self, uuids: Iterable[UUID]) -> list[str]:
        """Return the names of steps."""
        known = {step.workflow_step_uuid: name for name, step in self.steps.items()}
        return [known[uuid] for uuid in uuids]


def graph_of(template: TaskTemplate) -> dict[str, list[str]]:
    """Return the steps of a template with their parents."""
    return {step.name: list(step.dependencies) for step in template.steps}


def build(graph: Graph, states: Mapping[str, str] | None = None, **task: Any) -> Built:
    """Insert a task and its steps; parents must stand before their children."""
    row = TaskFactory.create(**task)
    steps: dict[str, WorkflowStep] = {}
    for name, parents in graph.items():
        steps[name] = StepFactory.create(
            task=row,
            name=name,
            state=(states or {}).get(name, "pending"),
            parents=[steps[parent] for parent in parents],
        )
    return Built(row, steps)


def single(state: str, *, task: Mapping[str, Any] | None = None, **columns: Any) -> Built:
    """Insert a task with one step."""
    row = TaskFactory.create(**(task or {}))
    step = StepFactory.create(task=row, name="only", state=state, **columns)
    return Built(row, {"only": step})


def in_namespace(namespace: str) -> Any:
    """Return a registered template of a namespace."""
    from orchestration.testing import linear

    return TemplateFactory.create(template=linear(1, namespace=namespace))


def ask(query: str, *parameters: Any) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts."""
    with connections["default"].cursor() as cursor:
        cursor.execute(query, parameters)
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def value(query: str, *parameters: Any) -> Any:
    """Return the one value of a query."""
    ((found,),) = (row.values() for row in ask(query, *parameters))
    return found


def run(query: str, *parameters: Any) -> None:
    """Run a statement for its effect."""
    with connections["default"].cursor() as cursor:
        cursor.execute(query, parameters)


def moved_at(built: Built, moment: datetime) -> None:
    """Say that task and steps entered their states at a moment."""
    Task.objects.filter(pk=built.uuid).update(state_entered_at=moment)
    WorkflowStep.objects.filter(task=built.task).update(state_entered_at=moment)
