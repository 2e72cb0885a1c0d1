"""Operator actions, engine.md 9: scenarios O1 to O7, and who did it."""

from typing import Any

import pytest

from orchestration.errors import ActionRefusedError, DuplicateDlqEntryError
from orchestration.lifecycle import operator_actions as act
from orchestration.messaging import pgmq
from orchestration.models import DlqEntry, StepTransition, Task, TaskTransition, WorkflowStep
from orchestration.queries import steps
from orchestration.testing import linear, shape
from tests.factories import ticks
from tests.factories.histories import (
    RAN_ONCE,
    states,
    step_histories,
    task_history,
)

pytestmark = pytest.mark.django_db
QUEUE = "worker_test_queue"
WHO: dict[str, Any] = {"actor": "ops", "reason": "because"}
BLOCKED = "P I Q S E:step_failed B"


def step_of(name):
    return WorkflowStep.objects.get(name=name)


def state_of(created):
    return Task.objects.get(pk=created.task_uuid).state


def blocked_pair():
    """Return a task with two failed steps that nothing depends on."""
    created = ticks.start(shape("pair", {"a": [], "b": []}))
    ticks.report(*(ticks.failure(each, retryable=False) for each in ticks.claim()))
    ticks.process()
    return created


# ------------------------------------------------------------ O1 to O6


def test_reset_step_runs_again_with_all_its_attempts():
    created = ticks.blocked(linear(1))

    act.reset_step(step_of("step_1").pk, **WHO)
    ticks.run_step()

    assert task_history(created.task_uuid) == f"{BLOCKED} E:reevaluate Q S E C"
    assert step_histories(created.task_uuid) == {
        "step_1": "pending enqueued in_progress eaefo error pending:reset_for_retry "
        "enqueued in_progress efo complete"
    }
    step = step_of("step_1")
    assert (step.attempts, step.backoff_request_seconds) == (1, None)


def test_resolved_step_lets_its_child_run_without_a_result():
    created = ticks.blocked()

    act.resolve_step(step_of("step_1").pk, **WHO)
    (child,) = ticks.claim()

    assert child.dependency_results["step_1"]["success"] is False
    assert task_history(created.task_uuid) == f"{BLOCKED} E:reevaluate Q S"
    assert step_histories(created.task_uuid)["step_1"].endswith(
        "error resolved_manually:resolve_manually"
    )


def test_step_that_never_ran_gives_its_child_nothing_when_it_is_resolved():
    created = ticks.start(linear(2), start=False)

    act.resolve_step(step_of("step_1").pk, **WHO)
    (child,) = ticks.claim()

    assert child.dependency_results == {}
    assert task_history(created.task_uuid) == "P I Q S"


def test_completed_step_gives_its_child_the_supplied_result():
    created = ticks.blocked()

    act.complete_step(step_of("step_1").pk, result={"n": 7}, metadata={"by": "hand"}, **WHO)
    (child,) = ticks.claim()

    given = child.dependency_results["step_1"]
    assert (given["result"], given["success"], given["metadata"]) == (
        {"n": 7},
        True,
        {"by": "hand"},
    )
    assert step_histories(created.task_uuid)["step_1"].endswith("error complete:complete_manually")
    assert task_history(created.task_uuid) == f"{BLOCKED} E:reevaluate Q S"


def test_task_does_not_move_while_another_failure_is_left():
    created = blocked_pair()
    before = task_history(created.task_uuid)

    act.resolve_step(step_of("a").pk, **WHO)
    between = task_history(created.task_uuid)
    act.reset_step(step_of("b").pk, **WHO)
    ticks.run_step()

    assert between == before == BLOCKED
    assert task_history(created.task_uuid) == f"{BLOCKED} E:reevaluate Q S E C"


def test_given_up_task_ends_in_error_and_a_reset_revives_it():
    created = ticks.blocked(linear(1))

    act.give_up_task(created.task_uuid, **WHO)
    ended = Task.objects.get(pk=created.task_uuid)
    act.reset_task(created.task_uuid, **WHO)
    revived = Task.objects.get(pk=created.task_uuid)
    ticks.run_step()

    assert ended.completed_at is not None
    assert revived.completed_at is None
    assert task_history(created.task_uuid) == f"{BLOCKED} X P I Q S E C"
    assert step_of("step_1").attempts == 1


def test_step_action_on_a_given_up_task_revives_it_first():
    created = ticks.blocked()
    act.give_up_task(created.task_uuid, **WHO)

    act.resolve_step(step_of("step_1").pk, **WHO)

    assert task_history(created.task_uuid) == f"{BLOCKED} X P I Q S"


def test_given_up_task_completes_when_its_only_failed_step_is_resolved():
    created = ticks.blocked(linear(1))
    act.give_up_task(created.task_uuid, **WHO)

    acted = act.resolve_step(step_of("step_1").pk, **WHO)

    assert acted.state == "complete"
    assert task_history(created.task_uuid) == f"{BLOCKED} X P I C"


def test_all_failed_steps_are_retried_in_one_go():
    created = ticks.start(shape("three", {"a": [], "b": [], "c": []}))
    ticks.report(*(ticks.failure(each, retryable=False) for each in ticks.claim()))
    ticks.process()

    act.retry_failed_steps(created.task_uuid, **WHO)

    assert set(states(created.task_uuid).values()) == {"enqueued"}
    assert task_history(created.task_uuid) == f"{BLOCKED} E:reevaluate Q S"
    assert set(WorkflowStep.objects.values_list("attempts", flat=True)) == {0}
    assert pgmq.metrics(QUEUE).depth == 3


def test_failed_steps_of_a_given_up_task_are_retried_too():
    created = ticks.blocked(linear(1))
    act.give_up_task(created.task_uuid, **WHO)

    act.retry_failed_steps(created.task_uuid, **WHO)

    assert task_history(created.task_uuid) == f"{BLOCKED} X P I Q S"


def test_finished_work_is_kept_when_failed_steps_are_retried():
    created = ticks.start(shape("pair", {"a": [], "b": []}))
    a, b = ticks.claim()
    ticks.report(ticks.success(a, {"kept": 1}), ticks.failure(b, retryable=False))
    ticks.process()

    act.retry_failed_steps(created.task_uuid, **WHO)

    assert states(created.task_uuid) == {"a": "complete", "b": "enqueued"}
    assert step_of("a").results["result"] == {"kept": 1}


# ------------------------------------------------------------ O7, A14


def test_resolved_task_keeps_its_failed_steps_and_drops_late_results():
    created = ticks.start(shape("mixed", {"a": [], "b": [], "c": [], "d": ["c"]}))
    a, b, _ = ticks.claim()
    ticks.report(ticks.failure(a, retryable=False))
    ticks.process()

    act.resolve_task(created.task_uuid, **WHO)
    late = ticks.report(ticks.success(b))
    ticks.process()

    assert late == [False]
    assert states(created.task_uuid) == {
        "a": "error",
        "b": "cancelled",
        "c": "cancelled",
        "d": "cancelled",
    }
    assert task_history(created.task_uuid) == ("P I Q S E:step_failed S resolved:resolve_manually")
    assert pgmq.metrics(QUEUE).depth == 0
    assert Task.objects.get(pk=created.task_uuid).completed_at is not None


def test_blocked_task_is_resolved_by_its_own_event():
    created = ticks.blocked()

    act.resolve_task(created.task_uuid, **WHO)

    assert task_history(created.task_uuid) == f"{BLOCKED} resolved:manual_resolution"
    assert states(created.task_uuid) == {"step_1": "error", "step_2": "cancelled"}


def test_result_that_waits_is_obsolete_when_the_task_is_resolved():
    created = ticks.start(linear(2))
    ticks.report(*map(ticks.success, ticks.claim()))

    act.resolve_task(created.task_uuid, **WHO)
    ticks.process()

    assert states(created.task_uuid) == {"step_1": "cancelled", "step_2": "cancelled"}
    assert state_of(created) == "resolved_manually"


def test_cancelled_task_drops_the_result_of_a_running_handler():
    created = ticks.start(linear(2))
    (running,) = ticks.claim()

    act.cancel_task(created.task_uuid, **WHO)
    late = ticks.report(ticks.success(running))
    held = steps.extend_leases(
        [(running.workflow_step_uuid, running.state_version)], lease_seconds=30
    )

    assert (late, held) == ([False], {})
    assert task_history(created.task_uuid) == "P I Q S cancelled:cancel"
    assert step_histories(created.task_uuid) == {
        "step_1": "pending enqueued in_progress cancelled:cancel",
        "step_2": "pending cancelled:cancel",
    }
    assert pgmq.metrics(QUEUE).depth == 0
    assert Task.objects.get(pk=created.task_uuid).completed_at is not None


def test_cancelled_task_takes_its_failed_steps_along():
    created = ticks.blocked()

    act.cancel_task(created.task_uuid, **WHO)

    assert states(created.task_uuid) == {"step_1": "cancelled", "step_2": "cancelled"}
    assert task_history(created.task_uuid) == f"{BLOCKED} cancelled:cancel"


def test_cancelled_task_keeps_what_was_complete():
    created = ticks.start(linear(2))
    ticks.run_step({"n": 1})

    act.cancel_task(created.task_uuid, **WHO)

    assert states(created.task_uuid) == {"step_1": "complete", "step_2": "cancelled"}
    assert step_of("step_1").results["result"] == {"n": 1}


# ------------------------------------------------------------ steps in every state


@pytest.mark.parametrize("action", ["resolve", "complete"])
def test_claim_is_gone_when_its_step_is_finished_by_hand(action):
    created = ticks.start(linear(2))
    (running,) = ticks.claim()

    finish(action, step_of("step_1").pk)
    late = ticks.report(ticks.failure(running))

    assert late == [False]
    assert state_of(created) == "steps_in_process"
    assert states(created.task_uuid)["step_2"] == "enqueued"
    assert pgmq.metrics(QUEUE).depth == 1


@pytest.mark.parametrize("action", ["resolve", "complete"])
def test_waiting_retry_is_over_when_its_step_is_finished_by_hand(action):
    slow = {"retry": {"backoff": "linear", "backoff_base_ms": 60_000}}
    created = ticks.start(linear(2, steps={"step_1": slow}))
    ticks.fail_step()

    finish(action, step_of("step_1").pk)

    assert states(created.task_uuid)["step_2"] == "enqueued"
    assert task_history(created.task_uuid) == "P I Q S E:step_failed R E:reevaluate Q S"


def finish(action, step_uuid):
    if action == "resolve":
        return act.resolve_step(step_uuid, **WHO)
    return act.complete_step(step_uuid, result={}, **WHO)


def test_complete_step_may_be_resolved_while_its_task_runs():
    created = ticks.start(linear(2))
    ticks.run_step({"n": 1})

    act.resolve_step(step_of("step_1").pk, **WHO)

    assert step_histories(created.task_uuid)["step_1"] == (
        f"{RAN_ONCE} resolved_manually:resolve_manually"
    )
    assert task_history(created.task_uuid) == "P I Q S E Q S"
    assert step_of("step_1").results["result"] == {"n": 1}


def test_result_supplied_by_hand_is_not_replaced_by_a_late_report():
    ticks.start(linear(1, steps={"step_1": {"retry": {"max_attempts": 1}}}))
    (zombie,) = ticks.claim()
    act.complete_step(zombie.workflow_step_uuid, result={"n": 1}, **WHO)

    late = ticks.report(ticks.success(zombie, {"n": 2}))

    assert late == [False]
    assert step_of("step_1").results["result"] == {"n": 1}


# ------------------------------------------------------------ who did it


def test_every_row_of_an_action_names_who_did_it_and_why():
    created = ticks.blocked()
    task_rows = TaskTransition.objects.filter(task_id=created.task_uuid)
    step_rows = StepTransition.objects.filter(workflow_step__task_id=created.task_uuid)
    before = set(task_rows.values_list("pk", flat=True)) | set(
        step_rows.values_list("pk", flat=True)
    )

    act.reset_step(step_of("step_1").pk, **WHO)

    new = [*task_rows.exclude(pk__in=before), *step_rows.exclude(pk__in=before)]
    assert len(new) == 5  # E Q S; pending enqueued
    assert {(row.actor, row.metadata.get("reason")) for row in new} == {("ops", "because")}


def test_reported_failure_waits_for_the_orchestrator_before_it_can_be_reset():
    ticks.start(linear(1))
    ticks.report(*(ticks.failure(each, retryable=False) for each in ticks.claim()))

    with pytest.raises(ActionRefusedError, match="enqueued_as_error_for_orchestration"):
        act.reset_step(step_of("step_1").pk, **WHO)


# ------------------------------------------------------------ investigations


def test_dlq_entry_is_opened_once_and_the_task_stays():
    created = ticks.blocked()

    entry = act.move_to_dlq(created.task_uuid, **WHO)
    with pytest.raises(DuplicateDlqEntryError):
        act.move_to_dlq(created.task_uuid, **WHO)

    row = DlqEntry.objects.get()
    assert (row.pk, row.dlq_reason, row.original_state) == (
        entry,
        "manual_dlq",
        "blocked_by_failures",
    )
    assert row.metadata == {"actor": "ops", "notes": "because"}
    assert task_history(created.task_uuid) == BLOCKED
