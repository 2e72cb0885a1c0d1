"""`bench creation` with few tasks: stable keys, and nothing left behind."""

import pytest

from orchestration.models import (
    StepTransition,
    Task,
    TaskTransition,
    WorkflowStep,
    WorkflowStepEdge,
)
from tasker_project.bench import creation
from tasker_project.bench.running import Bench
from tasker_project.bench.shapes import register_shapes


@pytest.mark.django_db(transaction=True)
def test_creation_is_measured_and_its_tasks_are_forgotten(tmp_path, monkeypatch):
    register_shapes()
    monkeypatch.setattr(creation, "LARGE_STEPS", 20)

    figures = creation.measure(Bench(logs=tmp_path, tasks=3))

    assert set(figures) == {
        "creation.one_by_one.tasks_per_second",
        "creation.together_500.tasks_per_second",
        "creation.linear5000.seconds",
    }
    assert all(figure > 0 for figure in figures.values())
    tables = (Task, WorkflowStep, WorkflowStepEdge, TaskTransition, StepTransition)
    assert not any(model.objects.exists() for model in tables)
