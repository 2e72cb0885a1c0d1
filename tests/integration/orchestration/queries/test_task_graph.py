"""The rows that a picture of a task is made of."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orchestration.models import DlqEntry, DlqResolution
from orchestration.queries.task_graph import TaskGraph, find_task_graph
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, diamond, linear
from templates_registry.registry.revisions import forget_revisions

pytestmark = pytest.mark.django_db


def task_of(template, *, steps=None, **columns):
    task = TaskFactory.create(named_task=TemplateFactory.create(template=template), **columns)
    for name, state in (steps or {}).items():
        StepFactory.create(task=task, name=name, state=state)
    return task


def seen(task) -> TaskGraph:
    found = find_task_graph(task.pk)
    assert found is not None
    return found


def test_an_unknown_task_is_none():
    assert find_task_graph(uuid4()) is None


def test_a_task_comes_with_its_steps_and_its_template():
    task = task_of(diamond(), steps={"start": "complete", "left": "in_progress"})
    task_of(linear(2), steps={"step_1": "pending"})

    found = seen(task)

    assert (found.task.namespace, found.task.name, found.task.version) == (
        "test",
        "diamond",
        "1.0.0",
    )
    assert found.task.state == "pending"
    assert found.task.completion_percentage == 50
    assert found.task.health_status == "healthy"
    assert found.task.dlq_reason is None
    assert {step.name: (step.state, step.attempts) for step in found.steps} == {
        "start": ("complete", 1),
        "left": ("in_progress", 1),
    }
    assert list(found.template.steps_by_name) == ["start", "left", "right", "join"]


@pytest.mark.parametrize("length", [1, 40])
def test_the_number_of_statements_does_not_grow(length, django_assert_num_queries):
    names = [f"step_{n}" for n in range(1, length + 1)]
    task = task_of(linear(length), steps=dict.fromkeys(names, "complete"))

    with django_assert_num_queries(2):
        assert len(seen(task).steps) == length
    forget_revisions()
    with django_assert_num_queries(3):
        seen(task)


def test_a_failed_step_tells_the_kind_of_its_error():
    task = task_of(linear(3))
    failure = {"error": {"error_type": "CardDeclined"}}
    for name, state in (
        ("step_1", "complete"),
        ("step_2", "waiting_for_retry"),
        ("step_3", "error"),
    ):
        StepFactory.create(task=task, name=name, state=state, results=failure)

    found = seen(task)

    assert {step.name: step.error_type for step in found.steps} == {
        "step_1": None,
        "step_2": "CardDeclined",
        "step_3": "CardDeclined",
    }


def test_only_an_open_entry_of_the_dlq_counts():
    task = task_of(linear(1))
    entry = DlqEntry.objects.create(task=task, dlq_reason="manual_dlq")

    assert seen(task).task.dlq_reason == "manual_dlq"
    DlqEntry.objects.filter(pk=entry.pk).update(
        resolution_status=DlqResolution.MANUALLY_RESOLVED, resolution_timestamp=timezone.now()
    )
    assert seen(task).task.dlq_reason is None


def test_the_moment_of_looking_is_that_of_the_engine(clock):
    task = task_of(linear(1))
    clock.advance(3600)

    found = seen(task).task

    assert found.seen_at == clock.now
    assert found.seen_at - found.created_at >= timedelta(minutes=59)


def test_a_task_keeps_the_revision_it_started_with():
    task = task_of(linear(2, name="same"))
    TemplateFactory.create(template=linear(3, name="same"))

    assert len(seen(task).template.steps) == 2
