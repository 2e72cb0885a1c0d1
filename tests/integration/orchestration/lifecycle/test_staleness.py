"""The staleness detector on tasks that the engine itself brought to where they are (S5)."""

import json
import logging
import time

import psycopg
import pytest
from django.db import connections
from django.test import override_settings

from orchestration import metrics
from orchestration.conf import engine_settings, pool_settings, staleness_settings
from orchestration.lifecycle import due_work, operator_actions, staleness
from orchestration.messaging import pgmq
from orchestration.models import DlqEntry, Task, TaskTransition, WorkflowStep
from orchestration.orchestrator import build_parts
from orchestration.runtime.identity import identify_process
from orchestration.runtime.loop import Loop
from orchestration.testing import linear, shape
from tests.factories import ticks
from tests.factories.histories import states, step_history, task_history
from tests.processes import database_url

pytestmark = pytest.mark.django_db
COUNTED = ("tasker.staleness", "tasker.dlq", "tasker.tasks.failures")
QUEUE = "worker_test_queue"
MINUTE = 60


def look(**given):
    return staleness.look_for_stale_tasks(move=ticks.MOVE, **given)


def start(length: int = 1, **lifecycle):
    return ticks.start(linear(length, lifecycle=lifecycle) if lifecycle else linear(length))


def state_of(created) -> str:
    return Task.objects.get(pk=created.task_uuid).state


# ------------------------------------------------------------ S5, end to end


def test_a_retry_that_nobody_starts_times_out_and_reset_revives_it(clock):
    created = start(2, max_waiting_for_retry_minutes=2)
    ticks.fail_step()
    clock.advance(3 * MINUTE)

    (settled,) = look()

    assert settled.action_taken == "transitioned_to_dlq_and_error"
    assert task_history(created.task_uuid).endswith("R X:timeout")
    assert states(created.task_uuid) == {"step_1": "pending", "step_2": "pending"}
    assert DlqEntry.objects.get().dlq_reason == "staleness_timeout"
    assert look() == []

    operator_actions.reset_task(created.task_uuid, actor="ann")
    ticks.run_to_the_end()

    assert (state_of(created), DlqEntry.objects.get().resolution_status) == ("complete", "pending")
    assert " X:timeout P I Q S " in task_history(created.task_uuid)


def test_steps_that_nobody_takes_time_out_and_reset_revives_them(clock):
    created = ticks.start(shape("pair", {"a": [], "b": []}))
    clock.advance(5 * MINUTE)  # the limit of the test profile

    (settled,) = look()

    assert (settled.reason, settled.threshold_minutes) == ("worker_unavailable", 5)
    assert states(created.task_uuid) == {"a": "error", "b": "error"}
    assert pgmq.metrics(QUEUE).depth == 0
    assert ticks.claim() == []

    operator_actions.reset_task(created.task_uuid, actor="ann")
    ticks.run_to_the_end()

    assert state_of(created) == "complete"
    (history,) = {step_history(step.pk) for step in WorkflowStep.objects.all()}
    assert history == (
        "pending enqueued error:fail pending:reset_for_retry enqueued in_progress efo complete"
    )


def test_a_claim_of_a_task_past_its_lifetime_is_fenced(clock):
    created = start(1, max_duration_minutes=1)
    (claimed,) = ticks.claim()
    clock.advance(59)
    assert look() == []
    clock.advance(1)

    look()

    assert ticks.report(ticks.success(claimed)) == [False]
    assert ticks.process() == 0
    assert (state_of(created), states(created.task_uuid)) == ("error", {"step_1": "error"})
    assert pgmq.metrics(QUEUE).depth == 0
    error = (WorkflowStep.objects.get().results or {})["error"]
    assert error["error_type"] == "task_timeout"
    assert "in_progress" in error["message"]


def test_age_never_keeps_a_waiting_task_from_being_started(clock):
    created = start(1, staleness_action="none")
    ticks.fail_step()
    clock.advance(48 * 3600)

    assert look() == []
    assert due_work.start_due_retries(move=ticks.MOVE) == 1
    assert state_of(created) == "steps_in_process"


def test_a_result_on_its_way_is_processed_however_late(clock):
    created = start(1, max_duration_minutes=1)
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    clock.advance(24 * 3600)

    assert look() == []
    ticks.process()
    assert state_of(created) == "complete"


def test_a_blocked_task_gets_an_entry_and_stays(clock):
    created = ticks.blocked()
    clock.advance(24 * 3600)

    (settled,) = look()

    assert (settled.action_taken, settled.reason) == ("moved_to_dlq_only", "staleness_timeout")
    assert state_of(created) == "blocked_by_failures"
    assert look() == []


def test_a_blocked_task_whose_entry_was_closed_is_asked_about_again_only_after_it_moved(clock):
    ticks.blocked()
    clock.advance(24 * 3600)
    look()
    DlqEntry.objects.update(resolution_status="permanently_failed")
    clock.advance(24 * 3600)

    assert look() == []

    operator_actions.retry_failed_steps(Task.objects.get().pk, actor="ann")
    ticks.fail_step(retryable=False)
    clock.advance(24 * 3600)
    assert [each.action_taken for each in look()] == ["moved_to_dlq_only"]


def test_a_limit_of_a_template_shorter_than_the_interval_is_honoured_at_the_next_look(clock):
    assert staleness_settings().staleness_interval_seconds >= 60
    created = start(1, max_steps_in_process_minutes=1)
    detector = staleness.Detector(ticks.MOVE, staleness_settings())
    detector.run_once()
    clock.advance(61)
    detector.next_look = 0.0

    detector.run_once()

    assert state_of(created) == "error"


# ------------------------------------------------------------ settings, counters, logs


@pytest.mark.parametrize("by", ["setting", "argument"])
def test_a_dry_run_reports_and_changes_nothing(clock, caplog, by):
    created = start()
    before = metrics.snapshot()
    clock.advance(3600)

    caplog.set_level(logging.INFO, logger=staleness.__name__)
    with override_settings(TASKER={"staleness_dry_run": by == "setting"}):
        (found,) = look(dry_run=True if by == "argument" else None)

    assert found.action_taken == "would_transition_to_dlq_and_error"
    assert (found.moved_to_dlq, found.transition_success) == (False, False)
    assert (state_of(created), pgmq.metrics(QUEUE).depth) == ("steps_in_process", 1)
    assert not DlqEntry.objects.exists()
    assert [r.message for r in caplog.records if r.name == staleness.__name__] == ["task.stale"]
    assert grown(before) == {
        "tasker.staleness.detection_runs.total": 1,
        "tasker.staleness.tasks_detected.total": 1,
    }


def test_limits_and_batch_come_from_the_settings(clock):
    for _ in range(3):
        start()
    clock.advance(4 * MINUTE)

    assert look() == []
    with override_settings(
        TASKER={"stale_steps_in_process_minutes": 4, "staleness_batch_count": 2}
    ):
        assert [len(look()) for _ in range(3)] == [2, 1, 0]


def test_the_lifetime_limit_is_a_setting_and_off_by_default(clock):
    start()
    (claimed,) = ticks.claim()
    clock.advance(3600)
    WorkflowStep.objects.filter(pk=claimed.workflow_step_uuid).update(
        lease_until=clock.now + (clock.now - claimed.lease_until)
    )

    assert look() == []
    with override_settings(TASKER={"max_task_lifetime_hours": 1}):
        assert [task.transition_success for task in look()] == [True]


def test_what_was_done_is_counted_logged_and_stands_in_the_history(clock, caplog):
    created = start()
    before = metrics.snapshot()
    clock.advance(3600)

    look()

    assert grown(before) == {
        "tasker.dlq.entries_created.total": 1,
        "tasker.staleness.detection_runs.total": 1,
        "tasker.staleness.tasks_detected.total": 1,
        "tasker.staleness.tasks_transitioned_to_error.total": 1,
        "tasker.tasks.failures.total": 1,
    }
    records = [r for r in caplog.records if r.name == staleness.__name__]
    assert [(r.message, r.levelname) for r in records] == [
        ("dlq.entry_created", "ERROR"),
        ("task.failed", "ERROR"),
    ]
    assert {vars(r)["task_uuid"] for r in records} == {created.task_uuid}
    assert vars(records[0])["reason"] == "worker_unavailable"
    last = TaskTransition.objects.filter(task_id=created.task_uuid).latest("sort_key")
    assert (last.actor, last.processor_uuid) == (ticks.MOVE.actor, ticks.ORCHESTRATOR)
    assert last.metadata["reason"] == "worker_unavailable"


def test_a_move_that_the_database_refuses_is_told(clock, caplog):
    start(1, staleness_action="error")
    clock.advance(3600)
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE pgmq.q_worker_test_queue RENAME TO q_gone")
        (settled,) = look()
        cursor.execute("ALTER TABLE pgmq.q_gone RENAME TO q_worker_test_queue")

    assert (settled.action_taken, settled.moved_to_dlq) == ("transition_failed", False)
    (record,) = [r for r in caplog.records if r.message == "task.timeout_failed"]
    assert "q_worker_test_queue" in vars(record)["error"]


def grown(before):
    """Return the counters that grew, and by how much."""
    now = metrics.snapshot()
    return {
        name: now[name] - was
        for name, was in before.items()
        if now[name] != was and name.startswith(COUNTED)
    }


# ------------------------------------------------------------ committed for others to see


@pytest.mark.django_db(transaction=True)
def test_every_task_is_settled_in_a_transaction_of_its_own(clock):
    for _ in range(3):
        start()
    clock.advance(3600)

    assert len(look()) == 3

    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT xmin::text) FROM tasker_task_transitions WHERE event = 'timeout'"
        )
        assert cursor.fetchone() == (3,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_on", [True, False])
def test_the_channel_is_told_unless_switched_off(clock, is_on):
    created = start()
    clock.advance(3600)

    with psycopg.connect(database_url(), autocommit=True) as listening:
        listening.execute("LISTEN task_staleness_detected")
        with override_settings(TASKER={"staleness_notify": is_on}):
            look(dry_run=True)
            look()
        told = [json.loads(note.payload) for note in listening.notifies(timeout=0.3)]

    assert told == [
        {
            "task_uuid": str(created.task_uuid),
            "state": "steps_in_process",
            "minutes_in_state": 60,
            "action_taken": "transitioned_to_dlq_and_error",
        }
    ] * int(is_on)


# ------------------------------------------------------------ when it looks


def test_the_first_look_comes_after_a_minute_and_then_one_each_interval(clock):
    with override_settings(TASKER={"staleness_interval_seconds": 300}):
        detector = staleness.Detector(ticks.MOVE, staleness_settings())
    created = start()
    clock.advance(3600)

    assert detector.run_once() == 0
    assert state_of(created) == "steps_in_process"
    assert 59 < detector.idle_seconds() <= 60

    detector.next_look = time.monotonic()
    assert detector.run_once() == 0
    assert state_of(created) == "error"
    assert 299 < detector.idle_seconds() <= 300


def test_a_lost_database_puts_a_look_off_for_a_minute_and_never_forward(clock):
    with override_settings(TASKER={"staleness_interval_seconds": 300}):
        detector = staleness.Detector(ticks.MOVE, staleness_settings())
    detector.run_once()
    created = start()
    clock.advance(3600)

    detector.next_look = 0.0
    metrics.LISTENER_RECONNECTIONS.add()
    detector.run_once()
    assert state_of(created) == "steps_in_process"
    assert 59 < detector.idle_seconds() <= 60

    detector.next_look = time.monotonic() + 200
    metrics.LISTENER_RECONNECTIONS.add()
    detector.run_once()
    assert 199 < detector.idle_seconds() <= 200

    detector.next_look = 0.0
    detector.run_once()
    assert state_of(created) == "error"


def test_an_interval_shorter_than_a_minute_is_the_grace_too():
    with override_settings(TASKER={"staleness_interval_seconds": 5}):
        detector = staleness.Detector(ticks.MOVE, staleness_settings())

    detector.run_once()

    assert 4 < detector.idle_seconds() <= 5


@pytest.mark.parametrize("is_on", [True, False])
def test_an_orchestrator_has_the_loop_unless_it_is_switched_off(is_on):
    with override_settings(TASKER={"staleness_enabled": is_on}):
        parts = build_parts(
            identify_process("orchestrator"),
            settings=engine_settings(),
            bounds=pool_settings(),
            poll_seconds=lambda: 1.0,
        )

    loops = [part.name for part in parts if isinstance(part, Loop)]
    assert ("staleness" in loops) == is_on
