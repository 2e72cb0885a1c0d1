"""Workflows that fail, wait and are repaired, with one process of each kind.

Scenarios A5 to A11, A14, O1 and O2 of engine.md 14.
"""

import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from orchestration.lifecycle import operator_actions as act
from orchestration.messaging import pgmq
from orchestration.models import StepResultAudit, StepTransition, Task
from orchestration.testing import FAIL_PERMANENT, diamond, fail_times, linear, shape, tree
from tests.clusters import Cluster, execution, result, step
from tests.factories import ticks
from tests.factories.histories import (
    RAN_ONCE,
    RAN_TWICE,
    states,
    step_histories,
    task_history,
)

pytestmark = pytest.mark.acceptance
BLOCKED = "P I Q S E:step_failed B"
RETRIED = "P I Q S E:step_failed R Q S E C"
FAILED_TWICE = (
    "pending enqueued in_progress eaefo waiting_for_retry pending enqueued in_progress eaefo error"
)
FAILED_ONCE = "pending enqueued in_progress eaefo error"
WHO = {"actor": "ops", "reason": "repaired"}


def quick(handler, **retry):
    """Return a step whose retries come soon, yet not before its failure was processed."""
    policy = {"backoff": "linear", "backoff_base_ms": 200, "max_attempts": 3}
    return {"handler": handler, "retry": policy | retry}


def starts(task_uuid, name="step_1"):
    """Return when each attempt of a step was enqueued."""
    rows = StepTransition.objects.filter(
        workflow_step__task_id=task_uuid, workflow_step__name=name, to_state="enqueued"
    )
    return [row.created_at for row in rows.order_by("sort_key")]


def lateness(task_uuid, name="step_1"):
    """Return how many seconds after its due time the last attempt was enqueued."""
    found = step(task_uuid, name)
    assert found.last_failure_at is not None
    due = found.last_failure_at + timedelta(seconds=found.backoff_request_seconds or 0)
    return (starts(task_uuid, name)[-1] - due).total_seconds()


# ------------------------------------------------------------ A5, A6, A7


def test_step_that_fails_once_runs_again(engine: Cluster):
    task_uuid = engine.run(linear(1, name="once", steps={"step_1": quick(fail_times(1))}))

    assert task_history(task_uuid) == RETRIED
    assert step_histories(task_uuid) == {"step_1": RAN_TWICE}
    assert step(task_uuid, "step_1").attempts == 2
    assert result(task_uuid, "step_1") == {"attempt": 2}
    audit = StepResultAudit.objects.filter(task_id=task_uuid).order_by("attempt")
    assert list(audit.values_list("attempt", "success")) == [(1, False), (2, True)]


def test_step_that_always_fails_blocks_its_task_after_the_last_attempt(engine: Cluster):
    policy = quick(fail_times(99), max_attempts=2, backoff_base_ms=400)

    task_uuid = engine.run(linear(2, name="always", steps={"step_1": policy}))

    assert task_history(task_uuid) == "P I Q S E:step_failed R Q S E:step_failed B"
    assert step_histories(task_uuid) == {"step_1": FAILED_TWICE, "step_2": "pending"}
    failed = step(task_uuid, "step_1")
    assert failed.attempts == 2
    assert execution(task_uuid, "step_1")["error"]["error_type"] == "retryable_error"
    assert failed.backoff_request_seconds == pytest.approx(0.4, rel=0.1)
    first, second = starts(task_uuid)
    assert (second - first).total_seconds() >= 0.36


def test_permanent_failure_blocks_at_once(engine: Cluster):
    began = time.monotonic()

    task_uuid = engine.run(linear(2, name="never", steps={"step_1": {"handler": FAIL_PERMANENT}}))

    assert time.monotonic() - began < 2
    assert task_history(task_uuid) == BLOCKED
    assert step_histories(task_uuid) == {"step_1": FAILED_ONCE, "step_2": "pending"}
    failed = step(task_uuid, "step_1")
    assert failed.attempts == 1
    given = execution(task_uuid, "step_1")
    error, metadata = given["error"], given["metadata"]
    assert (error["error_type"], error["retryable"]) == ("permanent_error", False)
    assert metadata["error_code"] == "NEVER_WORKS"
    assert Task.objects.get(pk=task_uuid).completed_at is None


# ------------------------------------------------------------ A8, A9


def test_task_blocks_only_after_the_retries_of_other_roots(engine: Cluster):
    steps = {
        "broken": {"handler": FAIL_PERMANENT},
        "flaky": quick(fail_times(99), max_attempts=2, backoff_base_ms=300),
    }

    task_uuid = engine.run(shape("roots", {"good": [], "broken": [], "flaky": []}, steps=steps))

    assert step_histories(task_uuid) == {
        "good": RAN_ONCE,
        "broken": FAILED_ONCE,
        "flaky": FAILED_TWICE,
    }
    attempts = {name: step(task_uuid, name).attempts for name in ("good", "broken", "flaky")}
    assert attempts == {"good": 1, "broken": 1, "flaky": 2}
    history = task_history(task_uuid)
    assert history.endswith("R Q S E:step_failed B")
    assert history.count("B") == 1


def test_other_branch_completes_before_the_task_blocks(engine: Cluster):
    template = tree(3, name="broken_tree", steps={"node_2": {"handler": FAIL_PERMANENT}})

    task_uuid = engine.run(template)

    assert states(task_uuid) == {
        "node_1": "complete",
        "node_2": "error",
        "node_3": "complete",
        "node_4": "pending",
        "node_5": "pending",
        "node_6": "complete",
        "node_7": "complete",
        "converge": "pending",
    }
    # the failure goes by message, the successes beside it may not: either may be the last
    assert task_history(task_uuid).endswith(("E B", "E:step_failed B"))
    assert {step_histories(task_uuid)[name] for name in ("node_4", "node_5", "converge")} == {
        "pending"
    }


def test_unknown_handler_fails_for_good_and_says_so(engine: Cluster):
    unknown = {"handler": {"callable": "test.does_not_exist"}}

    task_uuid = engine.run(linear(1, name="unknown", steps={"step_1": unknown}))

    assert task_history(task_uuid) == BLOCKED
    failed = execution(task_uuid, "step_1")
    assert failed["metadata"]["error_type"] == "handler_not_found"
    assert "test.does_not_exist" in failed["error"]["message"]


# ------------------------------------------------------------ A10


def test_handler_that_outstays_its_timeout_runs_again(engine: Cluster):
    slow = quick({"callable": "test.overrun", "initialization": {"times": 1}})
    template = linear(1, name="overrun", steps={"step_1": slow | {"timeout_seconds": 1}})

    task_uuid = engine.run(template)

    assert task_history(task_uuid) == RETRIED
    assert step_histories(task_uuid) == {"step_1": RAN_TWICE}
    first = StepResultAudit.objects.get(task_id=task_uuid, attempt=1)
    assert (first.success, first.error_type) == (False, "timeout")


def test_handler_that_always_outstays_its_timeout_blocks_its_task(engine: Cluster):
    handler = {"callable": "test.overrun", "initialization": {"times": 99}}
    slow = quick(handler, max_attempts=2, backoff_base_ms=600)  # longer than a poll: R is seen
    template = linear(1, name="overruns", steps={"step_1": slow | {"timeout_seconds": 1}})

    task_uuid = engine.run(template)

    assert task_history(task_uuid) == "P I Q S E:step_failed R Q S E:step_failed B"
    assert step_histories(task_uuid) == {"step_1": FAILED_TWICE}
    results = execution(task_uuid, "step_1")
    assert (results["status"], results["metadata"]["error_type"]) == ("error", "timeout")
    assert results["metadata"]["error_code"] == "EXECUTION_TIMEOUT"


# ------------------------------------------------------------ A11


def test_retry_starts_when_the_handler_asked_for_it(engine: Cluster):
    ask = {"handler": {"callable": "test.ask_to_wait", "initialization": {"retry_after": 3}}}

    task_uuid = engine.run(linear(1, name="ask", steps={"step_1": ask}))

    assert task_history(task_uuid) == RETRIED
    assert step(task_uuid, "step_1").backoff_request_seconds == 3
    first, second = starts(task_uuid)
    assert (second - first).total_seconds() >= 3
    assert 0 <= lateness(task_uuid) < 0.5


def test_retry_starts_at_the_date_of_the_header(engine: Cluster):
    ask = {"handler": {"callable": "test.ask_to_wait"}}
    date = (timezone.now() + timedelta(seconds=3)).replace(microsecond=0)

    task_uuid = engine.run(
        linear(1, name="date", steps={"step_1": ask}),
        {"retry_after": format_datetime(date, usegmt=True)},
    )

    assert task_history(task_uuid) == RETRIED
    _, second = starts(task_uuid)
    assert -1 <= (second - date).total_seconds() < 1.5


@pytest.mark.listens
def test_retry_starts_within_a_tenth_of_a_second_of_its_due_time(engine: Cluster):
    policy = quick(fail_times(1), backoff_base_ms=50)
    template = linear(1, name="prompt", steps={"step_1": policy})

    found = [lateness(engine.run(template)) for _ in range(5)]

    # One of five may meet a busy machine, so the median counts; none may wait for a poll.
    assert min(found) >= 0
    assert sorted(found)[2] <= 0.1
    assert max(found) < 1


# ------------------------------------------------------------ O1, O2


def test_repaired_handler_completes_the_task_after_a_reset(engine: Cluster, tmp_path):
    repaired = tmp_path / "repaired"
    template = linear(1, name="repaired", steps={"step_1": {"handler": FAIL_PERMANENT}})
    task_uuid = engine.run(template, {"repaired": str(repaired)})

    repaired.touch()
    act.reset_step(step(task_uuid, "step_1").pk, **WHO)
    engine.settles(task_uuid)

    assert task_history(task_uuid) == f"{BLOCKED} E:reevaluate Q S E C"
    assert step_histories(task_uuid) == {
        "step_1": f"{FAILED_ONCE} pending:reset_for_retry enqueued in_progress efo complete"
    }
    assert step(task_uuid, "step_1").attempts == 1


@pytest.mark.parametrize(
    ("finish", "seen"),
    [
        (act.resolve_step, {}),
        (lambda uuid, **who: act.complete_step(uuid, result={"n": 7}, **who), {"n": 7}),
    ],
    ids=["resolved", "completed"],
)
def test_child_of_a_step_finished_by_hand_runs(engine: Cluster, finish, seen):
    steps = {
        "step_1": {"handler": FAIL_PERMANENT},
        "step_2": {"handler": {"callable": "test.see", "initialization": {"of": "step_1"}}},
    }
    task_uuid = engine.run(linear(2, name="by_hand", steps=steps))

    finish(step(task_uuid, "step_1").pk, **WHO)
    engine.settles(task_uuid)

    assert task_history(task_uuid) == f"{BLOCKED} E:reevaluate Q S E C"
    assert result(task_uuid, "step_2") == {"seen": seen}


def test_retried_steps_of_a_diamond_let_its_join_run(engine: Cluster, tmp_path):
    repaired = tmp_path / "repaired"
    broken = {"handler": FAIL_PERMANENT}
    template = diamond(name="broken_diamond", steps={"left": broken, "right": broken})
    task_uuid = engine.run(template, {"repaired": str(repaired)})

    repaired.touch()
    act.retry_failed_steps(task_uuid, **WHO)
    engine.settles(task_uuid)

    assert task_history(task_uuid).endswith("E C")
    assert set(states(task_uuid).values()) == {"complete"}


# ------------------------------------------------------------ A14


def test_cancelled_task_drops_what_its_running_handler_returns(engine: Cluster, gate):
    waits = {"handler": {"callable": "test.wait"}}
    created = ticks.start(linear(2, name="cancelled", steps={"step_1": waits}), {"gate": str(gate)})
    engine.waits(lambda: (gate / "step_1.1").exists())

    act.cancel_task(created.task_uuid, **WHO)
    engine.waits(lambda: (gate / "step_1.cancelled").exists())  # within one heartbeat
    engine.run(linear(1))  # goes through the same worker after the dropped result

    assert task_history(created.task_uuid) == "P I Q S cancelled:cancel"
    assert step_histories(created.task_uuid) == {
        "step_1": "pending enqueued in_progress cancelled:cancel",
        "step_2": "pending cancelled:cancel",
    }
    assert step(created.task_uuid, "step_1").results is None
    assert not StepResultAudit.objects.filter(task_id=created.task_uuid).exists()
    assert pgmq.metrics("worker_test_queue").depth == 0
    assert Task.objects.get(pk=created.task_uuid).completed_at is not None
