"""find_stuck_tasks: active tasks without a sign of life."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from orchestration.models import Task, WorkflowStep
from orchestration.testing import StepFactory, TaskFactory
from tests.sql.rows import ask, build, single

pytestmark = pytest.mark.django_db


def stuck(minutes: int = 10) -> list[dict[str, Any]]:
    return ask("SELECT * FROM find_stuck_tasks(%s)", minutes)


@pytest.mark.parametrize("state", ["initializing", "enqueuing_steps", "evaluating_results"])
def test_a_task_that_rests_in_a_hop_state_is_stuck(clock, state):
    task = TaskFactory.create(state=state, state_entered_at=clock.now)

    clock.advance(600)
    assert stuck() == []
    clock.advance(60)
    assert stuck() == [
        {
            "task_uuid": task.task_uuid,
            "current_state": state,
            "processor_uuid": None,
            "stuck_duration_minutes": 11,
            "reason": "transient_state",
        }
    ]


def test_a_task_in_process_without_steps_in_flight_is_stuck(clock):
    build({"a": []}, {"a": "complete"}, state="steps_in_process", state_entered_at=clock.now)

    clock.advance(90)

    assert [row["reason"] for row in stuck(1)] == ["nothing_in_flight"]


def test_a_task_whose_steps_are_all_enqueued_has_no_worker(clock):
    built = single(
        "enqueued",
        state_entered_at=clock.now + timedelta(minutes=5),
        task={"state": "steps_in_process", "state_entered_at": clock.now},
    )

    clock.advance(15 * 60)
    assert stuck() == []
    clock.advance(60)
    (row,) = stuck()
    assert (row["task_uuid"], row["reason"]) == (built.uuid, "no_worker")
    assert row["stuck_duration_minutes"] == 11


@pytest.mark.parametrize("state", ["steps_in_process", "evaluating_results"])
def test_a_live_lease_is_a_sign_of_life(clock, state):
    single(
        "in_progress",
        state_entered_at=clock.now,
        lease_until=clock.now + timedelta(hours=2),
        task={"state": state, "state_entered_at": clock.now},
    )

    clock.advance(3600)

    assert stuck() == []


@pytest.mark.parametrize(
    "state", ["in_progress", "enqueued_for_orchestration", "enqueued_as_error_for_orchestration"]
)
def test_what_the_reaper_or_a_message_brings_on_is_not_stuck(clock, state):
    single(
        state,
        state_entered_at=clock.now,
        task={"state": "steps_in_process", "state_entered_at": clock.now},
    )

    clock.advance(3600)

    assert stuck() == []


@pytest.mark.parametrize(
    "state",
    ["pending", "waiting_for_dependencies", "waiting_for_retry", "blocked_by_failures", "complete"],
)
def test_tasks_at_rest_are_never_stuck(clock, state):
    TaskFactory.create(state=state, state_entered_at=clock.now - timedelta(days=3))

    assert stuck() == []


def test_the_processor_is_who_made_the_last_move(clock):
    task, processor = TaskFactory.create(state="pending"), uuid4()
    ask(
        "SELECT transition_task_state_atomic(%s, 'pending', 'initializing', %s)", task.pk, processor
    )

    clock.advance(3600)

    assert [row["processor_uuid"] for row in stuck()] == [processor]


def test_the_longest_stuck_comes_first(clock):
    for name, minutes in (("new", 20), ("old", 90)):
        TaskFactory.create(
            state="initializing",
            initiator=name,
            created_at=clock.now - timedelta(minutes=minutes),
            state_entered_at=clock.now - timedelta(minutes=minutes),
        )

    order = [Task.objects.get(pk=row["task_uuid"]).initiator for row in stuck()]

    assert order == ["old", "new"]


def test_a_step_that_moved_lately_is_a_sign_of_life(clock):
    task = TaskFactory.create(state="steps_in_process", state_entered_at=clock.now)
    StepFactory.create_batch(2, task=task, state="enqueued", state_entered_at=clock.now)
    clock.advance(3600)
    moved = WorkflowStep.objects.filter(task=task)[0]

    WorkflowStep.objects.filter(pk=moved.pk).update(state="in_progress", attempts=1)

    assert stuck() == []
