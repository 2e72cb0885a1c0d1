"""The sweep repairs what hands left behind: lost messages and states at rest that may not rest."""

from uuid import uuid4

import pytest
from django.db import connections

from orchestration.lifecycle import sweep
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import TaskerProcess, WorkflowStep
from orchestration.queries.recovery import engine_now
from orchestration.testing import StepFactory, TaskFactory, linear, shape
from tests.factories import ticks
from tests.factories.histories import states, task_history

pytestmark = pytest.mark.django_db
QUEUE = "worker_test_queue"


def execute(statement, *values):
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, values)


def repair():
    return sweep.repair_lost_messages(move=ticks.MOVE)


def reevaluate():
    return sweep.reevaluate_stuck_tasks(move=ticks.MOVE)


def test_purged_step_message_is_sent_again_after_a_minute(clock):
    created = ticks.start(linear(1))
    execute("DELETE FROM pgmq.q_worker_test_queue")

    clock.advance(59)
    early = repair()
    clock.advance(2)
    late = repair()
    again = repair()
    ticks.run_step()

    assert (early, late, again) == (0, 1, 0)
    assert task_history(created.task_uuid) == "P I Q S E C"


def test_purged_result_message_is_sent_again_after_a_minute(clock):
    created = ticks.start(linear(1))
    ticks.report(*map(ticks.success, ticks.claim()))
    execute("DELETE FROM pgmq.q_orchestration_step_results")

    clock.advance(59)
    early = repair()
    clock.advance(2)
    late = repair()
    again = repair()
    ticks.process()

    assert (early, late, again) == (0, 1, 0)
    assert task_history(created.task_uuid) == "P I Q S E C"


def test_message_that_is_there_is_not_sent_again(clock):
    ticks.start(shape("pair", {"a": [], "b": []}))
    ticks.report(ticks.success(ticks.claim(limit=1)[0]))
    clock.advance(600)

    repaired = repair()

    assert repaired == 0
    assert pgmq.metrics(QUEUE).depth == 1
    assert pgmq.metrics(RESULTS_QUEUE).depth == 1


@pytest.mark.parametrize("state", ["initializing", "enqueuing_steps", "evaluating_results"])
def test_task_that_rests_in_a_hop_state_goes_on(state, clock):
    task = TaskFactory.create(state=state)
    StepFactory.create(task=task, name="a")

    clock.advance(59)
    early = reevaluate()
    clock.advance(61)
    late = reevaluate()

    assert (early, late) == (0, 1)
    assert states(task.pk) == {"a": "enqueued"}
    assert task_history(task.pk).endswith("Q S")


def test_busy_task_without_a_step_in_flight_is_decided_again(clock):
    task = TaskFactory.create(state="steps_in_process")
    StepFactory.create(task=task, name="a", state="complete")
    clock.advance(121)

    found = reevaluate()

    assert found == 1
    assert task_history(task.pk) == "S E:reevaluate C"


def test_busy_task_whose_steps_wait_for_a_worker_is_left_alone(clock):
    created = ticks.start(linear(1))
    clock.advance(3600)

    assert reevaluate() == 0
    assert task_history(created.task_uuid) == "P I Q S"


def test_step_that_was_edited_by_hand_does_not_stop_its_task(clock):
    created = ticks.start(linear(2))
    ticks.claim()
    execute("DELETE FROM pgmq.q_worker_test_queue")
    WorkflowStep.objects.filter(name="step_1").update(state="resolved_manually")
    clock.advance(121)

    reevaluate()

    assert states(created.task_uuid) == {"step_1": "resolved_manually", "step_2": "enqueued"}
    assert task_history(created.task_uuid) == "P I Q S E:reevaluate Q S"


def test_rows_of_processes_that_ended_are_forgotten_after_a_week(clock):
    for status in ("running", "stopped", "lost"):
        TaskerProcess.objects.create(worker_uuid=uuid4(), kind="worker", pid=1, status=status)

    clock.advance(6 * 86400)
    early = sweep.forget_old_processes()
    clock.advance(2 * 86400)
    late = sweep.forget_old_processes()

    assert (early, late) == (0, 2)
    assert TaskerProcess.objects.get().status == "running"


def test_processes_that_fell_silent_are_lost(clock):
    """Killed orchestrators, and workers without a liveness lock: nobody else would notice."""
    silent, heard = (
        TaskerProcess.objects.create(worker_uuid=uuid4(), kind="orchestrator", pid=1)
        for _ in range(2)
    )
    clock.advance(19)  # ten heartbeats of the test profile are 20 s
    early = sweep.mark_silent_processes()
    TaskerProcess.objects.filter(pk=heard.pk).update(last_heartbeat_at=engine_now())
    clock.advance(2)

    assert (early, sweep.mark_silent_processes()) == (0, 1)
    silent.refresh_from_db()
    heard.refresh_from_db()
    assert (silent.status, heard.status) == ("lost", "running")
    assert silent.stopped_at is not None
    assert sweep.mark_silent_processes() == 0
