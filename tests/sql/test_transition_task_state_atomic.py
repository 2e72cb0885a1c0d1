"""transition_task_state_atomic: one hop as a compare-and-set."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from orchestration.models import Task, TaskTransition
from orchestration.testing import TaskFactory
from tests.sql.rows import run, value

pytestmark = pytest.mark.django_db
PROCESSOR = uuid4()
CALL = "SELECT transition_task_state_atomic(%s, %s, %s, %s, %s::jsonb)"


def test_a_task_in_the_expected_state_moves_and_says_why():
    task = TaskFactory.create()

    moved = value(
        CALL,
        task.pk,
        "pending",
        "cancelled",
        PROCESSOR,
        '{"actor": "ann", "reason": "mistake", "ticket": 7}',
    )

    assert moved is True
    assert Task.objects.get(pk=task.pk).state == "cancelled"
    hop = TaskTransition.objects.get(task=task, sort_key=2)
    assert (hop.event, hop.actor, hop.processor_uuid) == ("cancel", "ann", PROCESSOR)
    assert hop.metadata == {"reason": "mistake", "ticket": 7}


def test_a_task_in_another_state_stays():
    task = TaskFactory.create(state="steps_in_process")

    assert value(CALL, task.pk, "pending", "cancelled", PROCESSOR, "{}") is False
    assert TaskTransition.objects.filter(task=task).count() == 1


def test_a_missing_task_is_not_moved():
    assert value(CALL, uuid4(), "pending", "cancelled", PROCESSOR, "{}") is False


def test_an_illegal_pair_raises():
    task = TaskFactory.create()

    with pytest.raises(IntegrityError, match="pending -> complete"), transaction.atomic():
        value(CALL, task.pk, "pending", "complete", PROCESSOR, "{}")

    assert Task.objects.get(pk=task.pk).state == "pending"


def test_the_second_call_finds_the_task_moved():
    task = TaskFactory.create()

    answers = [value(CALL, task.pk, "pending", "initializing", PROCESSOR, "{}") for _ in "12"]

    assert answers == [True, False]


def test_what_the_caller_announced_is_used_and_left_as_it_was():
    task = TaskFactory.create()
    announced = '{"actor": "system", "reason": "import"}'
    run("SELECT set_config('tasker.move', %s, true)", announced)

    value(
        "SELECT transition_task_state_atomic(%s, 'pending', 'initializing', %s)", task.pk, PROCESSOR
    )

    hop = TaskTransition.objects.get(task=task, sort_key=2)
    assert (hop.actor, hop.metadata) == ("system", {"reason": "import"})
    assert hop.processor_uuid == PROCESSOR
    assert value("SELECT current_setting('tasker.move')") == announced
