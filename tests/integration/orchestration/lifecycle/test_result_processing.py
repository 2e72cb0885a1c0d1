"""Result processing, engine.md 7.2 and 7.4, one turn at a time."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from orchestration.lifecycle import due_work
from orchestration.models import StepResultAudit, Task, WorkflowStep
from orchestration.testing import diamond, fan_in, linear, shape
from tests.factories import ticks
from tests.factories.histories import (
    LINEAR_4,
    RAN_ONCE,
    RAN_TWICE,
    states,
    step_histories,
    task_history,
)

pytestmark = pytest.mark.django_db
TWICE = {"retry": {"max_attempts": 2, "backoff": "linear", "backoff_base_ms": 5000}}


def step_of(name):
    return WorkflowStep.objects.get(name=name)


def test_chain_runs_to_its_end():
    created = ticks.start(linear(4))

    for _ in range(4):
        ticks.run_step()

    assert task_history(created.task_uuid) == LINEAR_4
    assert set(step_histories(created.task_uuid).values()) == {RAN_ONCE}
    assert set(WorkflowStep.objects.values_list("attempts", flat=True)) == {1}


def test_child_sees_the_results_of_all_its_ancestors():
    ticks.start(linear(3))
    ticks.run_step({"n": 1})
    ticks.run_step({"n": 2})

    (last,) = ticks.claim()

    seen = {name: each["result"] for name, each in last.dependency_results.items()}
    assert seen == {"step_1": {"n": 1}, "step_2": {"n": 2}}
    assert last.last_attempted_at is not None
    assert last.task_created_at <= last.last_attempted_at <= last.lease_until


@pytest.mark.parametrize("first", [0, 1])
def test_join_is_enqueued_once_when_the_branches_end_one_after_the_other(first):
    created = ticks.start(diamond())
    ticks.run_step()
    branches = ticks.claim()

    ticks.report(ticks.success(branches[first]))
    ticks.process()
    ticks.report(ticks.success(branches[1 - first]))
    ticks.process()
    ticks.run_step()

    assert task_history(created.task_uuid) == "P I Q S E Q S E S E Q S E C"
    assert set(step_histories(created.task_uuid).values()) == {RAN_ONCE}


def test_join_is_enqueued_once_when_both_branches_share_a_batch():
    created = ticks.start(diamond())
    ticks.run_step()

    ticks.report(*map(ticks.success, ticks.claim()))
    ticks.process()
    ticks.run_step()

    assert task_history(created.task_uuid) == "P I Q S E Q S E Q S E C"
    assert set(step_histories(created.task_uuid).values()) == {RAN_ONCE}


def test_branches_are_enqueued_in_one_transaction():
    created = ticks.start(diamond())

    ticks.run_step()

    steps = WorkflowStep.objects.filter(task_id=created.task_uuid, name__in=["left", "right"])
    transactions = steps.values_list("state", "updated_at")
    assert [state for state, _ in transactions] == ["enqueued", "enqueued"]
    assert task_history(created.task_uuid) == "P I Q S E Q S"


def test_failed_step_waits_and_runs_again_when_it_is_due(clock):
    created = ticks.start(linear(1, steps={"step_1": TWICE}))
    ticks.fail_step()
    waiting = step_of("step_1")

    clock.advance(4.9)
    early = due_work.start_due_retries(move=ticks.MOVE)
    clock.advance(0.2)
    started = due_work.start_due_retries(move=ticks.MOVE)
    ticks.run_step()

    assert (early, started) == (0, 1)
    assert waiting.next_retry_at == waiting.last_failure_at + timedelta(seconds=5)
    assert waiting.backoff_request_seconds == 5.0
    assert task_history(created.task_uuid) == "P I Q S E:step_failed R Q S E C"
    assert step_histories(created.task_uuid) == {"step_1": RAN_TWICE}
    assert step_of("step_1").attempts == 2
    audit = StepResultAudit.objects.order_by("recorded_at")
    assert list(audit.values_list("attempt", "success")) == [(1, False), (2, True)]


def test_task_blocks_when_the_last_attempt_fails(clock):
    created = ticks.start(linear(2, steps={"step_1": TWICE}))
    ticks.fail_step()
    clock.advance(6)
    due_work.start_due_retries(move=ticks.MOVE)

    ticks.fail_step()

    assert task_history(created.task_uuid) == "P I Q S E:step_failed R Q S E:step_failed B"
    assert states(created.task_uuid) == {"step_1": "error", "step_2": "pending"}
    assert step_of("step_1").attempts == 2


@pytest.mark.parametrize(
    ("retry", "says_retryable"),
    [({"max_attempts": 3}, False), ({"retryable": False}, True), ({"max_attempts": 0}, True)],
)
def test_task_blocks_at_once_when_handler_step_or_counters_forbid_a_retry(retry, says_retryable):
    created = ticks.start(linear(1, steps={"step_1": {"retry": retry}}))

    ticks.fail_step(retryable=says_retryable)

    assert task_history(created.task_uuid) == "P I Q S E:step_failed B"
    assert step_histories(created.task_uuid) == {
        "step_1": "pending enqueued in_progress eaefo error"
    }
    assert step_of("step_1").attempts == 1


# ------------------------------------------------------------ S1


@pytest.mark.parametrize(
    ("order", "history"),
    [
        ("ok first", "P I Q S E S E:step_failed R Q S E C"),
        ("failure first", "P I Q S E:step_failed S E R Q S E C"),
        ("together", "P I Q S E R Q S E C"),
    ],
)
def test_retry_waits_for_its_siblings(order, history, clock):
    created = ticks.start(shape("pair", {"a": [], "b": []}, steps={"b": TWICE}))
    a, b = ticks.claim()
    reports = [ticks.success(a), ticks.failure(b)]
    if order == "failure first":
        reports.reverse()

    if order == "together":
        ticks.report(*reports)
        ticks.process()
    else:
        for each in reports:
            ticks.report(each)
            ticks.process()
    clock.advance(6)
    ticks.run_to_the_end()

    assert task_history(created.task_uuid) == history
    assert step_histories(created.task_uuid) == {"a": RAN_ONCE, "b": RAN_TWICE}


def test_task_blocks_only_when_the_siblings_are_done():
    created = ticks.start(shape("pair", {"a": [], "b": []}))
    a, b = ticks.claim()

    ticks.report(ticks.failure(a, retryable=False))
    ticks.process()
    between = Task.objects.get(pk=created.task_uuid).state
    ticks.report(ticks.success(b))
    ticks.process()

    assert between == "steps_in_process"
    assert task_history(created.task_uuid) == "P I Q S E:step_failed S E B"


def test_due_retry_starts_while_a_sibling_still_runs(clock):
    created = ticks.start(shape("pair", {"a": [], "b": []}, steps={"b": TWICE}))
    _, b = ticks.claim()
    ticks.report(ticks.failure(b))
    ticks.process()

    clock.advance(6)
    due_work.start_due_retries(move=ticks.MOVE)

    assert states(created.task_uuid) == {"a": "in_progress", "b": "enqueued"}
    assert task_history(created.task_uuid) == "P I Q S E:step_failed S E:reevaluate Q S"


# ------------------------------------------------------------ delays that were asked for


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ({"backoff_hint": {"backoff_type": "ServerRequested", "delay_seconds": 3}}, 3),
        ({"headers": {"Retry-After": "40"}}, 40),
        ({"backoff_hint": {"delay_seconds": 99_999}}, 3600),
    ],
)
def test_next_attempt_waits_as_long_as_was_asked(asked, seconds):
    ticks.start(linear(1, steps={"step_1": TWICE}))

    ticks.fail_step(**asked)

    step = step_of("step_1")
    assert step.backoff_request_seconds == seconds
    assert step.next_retry_at == step.last_failure_at + timedelta(seconds=seconds)


def test_next_attempt_waits_until_the_date_of_the_header():
    ticks.start(linear(1, steps={"step_1": TWICE}))
    date = timezone.now() + timedelta(seconds=60)

    ticks.fail_step(headers={"retry-after": format_datetime(date, usegmt=True)})

    assert 58 <= step_of("step_1").backoff_request_seconds <= 60


def test_delay_of_the_last_failure_replaces_the_one_before(clock):
    ticks.start(linear(1, steps={"step_1": {"retry": {"backoff": "linear"}}}))
    ticks.fail_step(backoff_hint={"delay_seconds": 30})
    clock.advance(31)
    due_work.start_due_retries(move=ticks.MOVE)

    ticks.fail_step()

    assert step_of("step_1").backoff_request_seconds == 2


def test_step_without_backoff_is_ready_at_once():
    created = ticks.start(linear(1, steps={"step_1": {"retry": {"backoff": "none"}}}))

    ticks.fail_step()

    # Ready in the very evaluation that handled its failure: it does not even rest.
    assert task_history(created.task_uuid) == "P I Q S E:step_failed Q S"
    assert states(created.task_uuid) == {"step_1": "enqueued"}


# ------------------------------------------------------------ what comes too late, or twice


def test_second_report_of_a_claim_is_refused():
    ticks.start(linear(1))
    (claimed,) = ticks.claim()

    first = ticks.report(ticks.success(claimed))
    second = ticks.report(ticks.failure(claimed))

    assert (first, second) == ([True], [False])
    assert step_of("step_1").state == "enqueued_for_orchestration"


def test_stored_result_that_is_no_success_fails_the_step():
    created = ticks.start(linear(1))
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed)._replace(results='"nonsense"'))

    ticks.process()

    assert step_histories(created.task_uuid) == {
        "step_1": "pending enqueued in_progress efo error:fail"
    }
    assert task_history(created.task_uuid) == "P I Q S E:step_failed B"


def test_failure_without_any_detail_is_retried():
    created = ticks.start(linear(1, steps={"step_1": TWICE}))
    (claimed,) = ticks.claim()
    ticks.report(ticks.failure(claimed)._replace(results="{}"))

    ticks.process()

    assert states(created.task_uuid) == {"step_1": "waiting_for_retry"}


def test_failure_that_is_no_object_is_permanent():
    created = ticks.start(linear(1, steps={"step_1": TWICE}))
    (claimed,) = ticks.claim()
    ticks.report(ticks.failure(claimed)._replace(results="[1]"))

    ticks.process()

    assert states(created.task_uuid) == {"step_1": "error"}


def test_large_fan_in_ends_in_one_batch():
    created = ticks.start(fan_in(40))

    ticks.report(*map(ticks.success, ticks.claim(limit=40)))
    ticks.process()
    ticks.run_step()

    assert task_history(created.task_uuid) == "P I Q S E Q S E C"


def test_results_of_many_tasks_are_processed_in_one_transaction():
    tasks = [ticks.start(linear(2)) for _ in range(5)]
    ticks.report(*map(ticks.success, ticks.claim()))

    done = ticks.process()

    assert done == 5
    assert {task_history(each.task_uuid) for each in tasks} == {"P I Q S E Q S"}


def test_limit_of_a_batch_is_kept():
    ticks.start(fan_in(5))
    ticks.report(*map(ticks.success, ticks.claim()))

    assert [ticks.process(limit=2) for _ in range(4)] == [2, 2, 1, 0]
