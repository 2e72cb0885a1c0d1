"""A task has a limited number of steps in flight, so it never floods its namespace's queue.

What waits for room is never stranded: each end of a step in flight lets the next one in, whoever
brought it about.
"""

import pytest
from django.db import connections

from orchestration.lifecycle import discovery, due_work, operator_actions, result_processor
from orchestration.models import WorkflowStep
from orchestration.queries import recovery
from orchestration.testing import shape
from tests.factories import ticks
from tests.factories.histories import states, task_history

pytestmark = pytest.mark.django_db
LIMIT = 3


@pytest.fixture(autouse=True, params=[0, 200], ids=["as_large_tasks", "as_small_tasks"])
def _limit(settings, request, monkeypatch):
    monkeypatch.setattr(result_processor, "LARGE_TASK_STEPS", request.param)
    settings.TASKER = {**settings.TASKER, "max_steps_in_flight_per_task": LIMIT}


def wide(width=7, **policy):
    names = [f"root_{n}" for n in range(width)]
    said = {name: {"retry": policy} for name in names} if policy else {}
    return shape("wide", {name: [] for name in names}, steps=said)


def in_state(task_uuid, state):
    return [name for name, found in sorted(states(task_uuid).items()) if found == state]


def step_of(task_uuid, name):
    return WorkflowStep.objects.get(task_id=task_uuid, name=name)


def test_ready_steps_follow_as_results_come_in():
    task = ticks.start(wide()).task_uuid
    assert in_state(task, "enqueued") == ["root_0", "root_1", "root_2"]

    ticks.run_step()

    assert in_state(task, "enqueued") == ["root_1", "root_2", "root_3"]
    ticks.run_to_the_end()
    assert task_history(task) == "P I Q S" + " E Q S E Q S E C"  # batches of three, three, one


def test_step_of_higher_priority_goes_first():
    created = ticks.start(wide(), start=False)
    WorkflowStep.objects.filter(name__in=["root_4", "root_6"]).update(priority=5)

    discovery.admit_waiting_tasks(limit=10, move=ticks.MOVE)

    assert in_state(created.task_uuid, "enqueued") == ["root_0", "root_4", "root_6"]


def test_task_at_its_limit_changes_nothing_in_the_same_transaction_as_others():
    giant = ticks.start(wide()).task_uuid
    small = ticks.start(shape("small", {"a": [], "b": ["a"]})).task_uuid
    claims = {claim.name: claim for claim in ticks.claim()}
    ticks.report(ticks.success(claims["root_0"]), ticks.success(claims["a"]))

    ticks.process()

    assert in_state(giant, "enqueued") == ["root_3"]
    assert in_state(small, "enqueued") == ["b"]


def test_lowered_limit_lets_nothing_in_until_there_is_room(settings):
    task = ticks.start(wide()).task_uuid
    settings.TASKER = {**settings.TASKER, "max_steps_in_flight_per_task": 1}

    ticks.run_step()
    ticks.run_step()

    assert in_state(task, "enqueued") == ["root_2"]
    assert task_history(task) == "P I Q S E S E S"
    ticks.run_step()
    assert in_state(task, "enqueued") == ["root_3"]
    ticks.run_to_the_end()
    assert set(states(task).values()) == {"complete"}


def test_due_retry_without_room_does_not_keep_the_timer_busy(clock, settings):
    task = ticks.start(wide(5, backoff="linear", backoff_base_ms=1000)).task_uuid
    ticks.report(*map(ticks.failure, ticks.claim()))
    ticks.process()
    assert in_state(task, "waiting_for_retry") == ["root_0", "root_1", "root_2"]
    assert in_state(task, "enqueued") == ["root_3", "root_4"]
    clock.advance(2)

    assert due_work.start_due_retries(move=ticks.MOVE) == 1
    assert in_state(task, "enqueued") == ["root_0", "root_3", "root_4"]
    assert in_state(task, "pending") == ["root_1", "root_2"]

    assert recovery.tasks_with_due_retries(limit=10) == []
    assert due_work.start_due_retries(move=ticks.MOVE) == 0
    ticks.run_to_the_end()
    assert set(states(task).values()) == {"complete"}
    attempts = WorkflowStep.objects.filter(task_id=task).values_list("name", "attempts")
    assert dict(attempts) == {"root_0": 2, "root_1": 2, "root_2": 2, "root_3": 1, "root_4": 1}


def test_timer_makes_no_noise_for_a_task_at_its_limit(clock):
    task = ticks.start(wide(4, backoff="linear", backoff_base_ms=1000)).task_uuid
    claims = ticks.claim()
    ticks.report(ticks.failure(claims[0]))
    ticks.process()
    before = task_history(task)
    assert in_state(task, "enqueued") == ["root_3"]
    clock.advance(2)

    assert due_work.start_due_retries(move=ticks.MOVE) == 0

    assert in_state(task, "pending") == ["root_0"]
    assert task_history(task) == before


def test_lost_workers_make_room(clock):
    task = ticks.start(wide(max_attempts=1)).task_uuid
    ticks.claim()
    clock.advance(31)

    due_work.reap_lost_claims(move=ticks.MOVE)

    assert in_state(task, "error") == ["root_0", "root_1", "root_2"]
    assert in_state(task, "enqueued") == ["root_3", "root_4", "root_5"]


@pytest.mark.parametrize(
    ("action", "more"), [("resolve_step", {}), ("complete_step", {"result": {}})]
)
def test_operator_who_ends_a_step_makes_room(action, more):
    task = ticks.start(wide()).task_uuid

    getattr(operator_actions, action)(step_of(task, "root_1").pk, actor="a person", **more)

    assert in_state(task, "enqueued") == ["root_0", "root_2", "root_3"]


def test_operator_who_ends_a_waiting_step_makes_no_noise():
    task = ticks.start(wide()).task_uuid
    before = task_history(task)

    operator_actions.resolve_step(step_of(task, "root_6").pk, actor="a person")

    assert in_state(task, "enqueued") == ["root_0", "root_1", "root_2"]
    assert task_history(task) == before


def test_reset_steps_wait_for_room():
    task = ticks.start(wide()).task_uuid
    ticks.report(*(ticks.failure(claim, retryable=False) for claim in ticks.claim()))
    ticks.process()

    operator_actions.retry_failed_steps(task, actor="a person")

    assert in_state(task, "enqueued") == ["root_3", "root_4", "root_5"]
    ticks.run_to_the_end()
    assert set(states(task).values()) == {"complete"}


def test_function_without_a_limit_enqueues_all():
    task = ticks.start(wide(), start=False).task_uuid

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tasker_enqueue_ready_steps(%s)", [[task]])
        assert cursor.fetchone() == (7,)
    operator_actions.cancel_task(task, actor="a person")
