"""What a move does to the other columns, and the audit of reports (engine.md 3.5)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from orchestration.models import (
    StepResultAudit,
    StepTransition,
    Task,
)
from orchestration.testing import StepFactory, TaskFactory
from tests.factories.moves import move_step, move_task

pytestmark = pytest.mark.django_db
WORKER = uuid4()


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("evaluating_results", "complete"),
        ("blocked_by_failures", "error"),
        ("pending", "cancelled"),
        ("steps_in_process", "resolved_manually"),
    ],
)
def test_a_task_that_ends_is_completed_now(clock, source, target):
    task = TaskFactory.create(state=source)
    clock.advance(5)

    assert move_task(task, target).completed_at == clock.now


def test_a_task_that_leaves_error_is_not_completed_any_more():
    task = TaskFactory.create(state="error")

    assert move_task(task, "pending").completed_at is None


def test_a_claim_has_a_lease_of_thirty_seconds_unless_it_says_more(clock):
    given = clock.now + timedelta(hours=1)
    first, second = StepFactory.create_batch(2, state="enqueued")

    assert move_step(first, "in_progress").lease_until == clock.now + timedelta(seconds=30)
    assert move_step(second, "in_progress", lease_until=given).lease_until == given


LEAVING = ["enqueued", "waiting_for_retry", "complete", "error", "cancelled", "resolved_manually"]


@pytest.mark.parametrize("target", [*LEAVING, "enqueued_for_orchestration"])
def test_a_step_that_leaves_in_progress_loses_claim_and_lease(target):
    step = StepFactory.create(state="in_progress", claimed_by=WORKER, queue_msg_id=7)

    moved = move_step(step, target)

    assert (moved.claimed_by, moved.lease_until) == (None, None)
    assert moved.queue_msg_id == (7 if target == "enqueued" else None)
    hop = StepTransition.objects.get(workflow_step=step, sort_key=2)
    assert hop.worker_uuid == WORKER


def test_a_claim_keeps_the_message_and_records_who_claimed_which_attempt():
    step = StepFactory.create(state="enqueued", queue_msg_id=7)

    moved = move_step(step, "in_progress", claimed_by=WORKER, attempts=1)

    assert (moved.claimed_by, moved.queue_msg_id) == (WORKER, 7)
    hop = StepTransition.objects.get(workflow_step=step, sort_key=2)
    assert (hop.worker_uuid, hop.attempt) == (WORKER, 1)


@pytest.mark.parametrize("target", ["error", "cancelled", "resolved_manually", "complete"])
def test_a_step_that_leaves_enqueued_otherwise_loses_its_message(target):
    step = StepFactory.create(state="enqueued", queue_msg_id=7)

    assert move_step(step, target).queue_msg_id is None


def test_a_retry_is_due_now_unless_a_time_is_given_and_has_none_afterwards(clock):
    source = "enqueued_as_error_for_orchestration"
    due_at = clock.now + timedelta(minutes=1)
    first, second = StepFactory.create_batch(2, state=source)

    assert move_step(first, "waiting_for_retry").next_retry_at == clock.now
    assert move_step(second, "waiting_for_retry", next_retry_at=due_at).next_retry_at == due_at
    assert move_step(second, "pending").next_retry_at is None


@pytest.mark.parametrize("target", ["complete", "cancelled", "resolved_manually"])
def test_a_step_that_ends_is_completed_now(clock, target):
    assert move_step(StepFactory.create(), target).completed_at == clock.now


def test_a_step_in_error_is_not_completed():
    assert move_step(StepFactory.create(), "error").completed_at is None


@pytest.mark.parametrize(
    ("state", "results", "success", "error_type"),
    [
        (
            "enqueued_for_orchestration",
            {"metadata": {"execution_time_ms": 12}, "error": None},
            True,
            None,
        ),
        (
            "enqueued_as_error_for_orchestration",
            {"metadata": {"execution_time_ms": 12.4}, "error": {"error_type": "declined"}},
            False,
            "declined",
        ),
    ],
)
def test_every_report_leaves_one_audit_row(clock, state, results, success, error_type):
    step = StepFactory.create(state="in_progress", claimed_by=WORKER, attempts=2)
    clock.advance(1)

    move_step(step, state, results=results)

    audit = StepResultAudit.objects.get(workflow_step=step)
    assert (audit.success, audit.error_type, audit.execution_time_ms) == (success, error_type, 12)
    assert (audit.worker_uuid, audit.attempt, audit.recorded_at) == (WORKER, 2, clock.now)
    assert audit.task_id == step.task_id
    assert audit.correlation_id == Task.objects.get(pk=step.task_id).correlation_id
    assert (audit.transition.sort_key, audit.transition.to_state) == (2, state)


@pytest.mark.parametrize("results", [None, {}, [], {"metadata": {"execution_time_ms": "soon"}}])
def test_odd_results_do_not_stop_the_audit(results):
    step = StepFactory.create(state="in_progress")

    move_step(step, "enqueued_as_error_for_orchestration", results=results)

    audit = StepResultAudit.objects.get(workflow_step=step)
    assert (audit.execution_time_ms, audit.error_type) == (None, None)


def test_a_report_passed_on_the_way_is_audited_too():
    step = StepFactory.create(state="in_progress")

    move_step(step, "complete", "enqueued_for_orchestration")

    assert StepResultAudit.objects.get(workflow_step=step).success


def test_other_moves_leave_no_audit_row():
    step = StepFactory.create(state="in_progress")

    move_step(step, "complete")

    assert not StepResultAudit.objects.exists()
