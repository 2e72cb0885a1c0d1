"""Cases in which a task must never get stuck: scenarios S1, S2, S4 and S6 of engine.md 7.4.

S3 is in test_lost_workers.py. That an operator's action is one transaction with what follows from
it, S4, is shown by killing it: test_crash_points.py.
"""

from functools import partial

import pytest
from django.db import connections

from orchestration.lifecycle import due_work
from orchestration.lifecycle.operator_actions import complete_step, resolve_step
from orchestration.models import Task, WorkflowStep
from orchestration.testing import linear, shape
from tests.factories import ticks
from tests.factories.histories import RAN_ONCE, RAN_TWICE, states, step_histories, task_history

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]
LATER = {"backoff": "linear", "backoff_base_ms": 60_000, "max_attempts": 3}
OPERATIONS = {
    "resolve": partial(resolve_step, actor="user:1"),
    "complete": partial(complete_step, result={"by": "hand"}, actor="user:1"),
}


@pytest.fixture(autouse=True)
def _nothing_is_broken():
    yield
    ticks.assert_invariants()


def state_of(created) -> str:
    return Task.objects.get(pk=created.task_uuid).state


def step_of(created, name: str) -> WorkflowStep:
    return WorkflowStep.objects.get(task_id=created.task_uuid, name=name)


def transactions_of_the_last_hops(created, *names: str) -> set[str]:
    """Return which transactions wrote the last hop of the task and of the steps named."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "(SELECT h.xmin::text FROM tasker_task_transitions AS h WHERE h.task_uuid = %s "
            " ORDER BY h.sort_key DESC LIMIT 1) "
            "UNION ALL "
            "SELECT (SELECT h.xmin::text FROM tasker_workflow_step_transitions AS h "
            "        WHERE h.workflow_step_uuid = s.workflow_step_uuid "
            "        ORDER BY h.sort_key DESC LIMIT 1) "
            "FROM tasker_workflow_steps AS s WHERE s.task_uuid = %s AND s.name = ANY(%s)",
            [created.task_uuid, created.task_uuid, list(names)],
        )
        found = [transaction for (transaction,) in cursor.fetchall()]
    assert len(found) == 1 + len(names)
    return set(found)


# ------------------------------------------------------------ S1

ORDERS = {"success first": ["a", "b"], "failure first": ["b", "a"], "one batch": ["a b"]}


def report_in_order(order: str, *, retryable: bool):
    """Let a succeed and b fail; return the task and its states after each processing."""
    created = ticks.start(shape("pair", {"a": [], "b": []}, steps={"b": {"retry": LATER}}))
    a, b = ticks.claim()
    reports = {"a": ticks.success(a), "b": ticks.failure(b, retryable=retryable)}
    seen = []
    for batch in ORDERS[order]:
        ticks.report(*(reports[name] for name in batch.split()))
        ticks.process()
        seen.append(state_of(created))
    return created, seen


@pytest.mark.parametrize("order", ORDERS)
def test_s1_retry_of_one_branch_waits_for_the_other_and_comes(order, clock):
    created, seen = report_in_order(order, retryable=True)

    assert seen == ["steps_in_process", "waiting_for_retry"][-len(seen) :]
    assert due_work.start_due_retries(move=ticks.MOVE) == 0
    clock.advance(61)
    assert due_work.start_due_retries(move=ticks.MOVE) == 1
    assert state_of(created) == "steps_in_process"
    ticks.run_to_the_end()
    assert state_of(created) == "complete"
    assert step_histories(created.task_uuid) == {"a": RAN_ONCE, "b": RAN_TWICE}


@pytest.mark.parametrize("order", ORDERS)
def test_s1_permanent_failure_of_one_branch_blocks_after_the_other(order):
    created, seen = report_in_order(order, retryable=False)

    assert seen == ["steps_in_process", "blocked_by_failures"][-len(seen) :]
    assert states(created.task_uuid) == {"a": "complete", "b": "error"}


# ------------------------------------------------------------ S2, S6


def assert_blocked_at_the_first_attempt(created) -> None:
    failed = step_of(created, "step_1")
    assert (failed.state, failed.attempts) == ("error", 1)
    assert task_history(created.task_uuid) == "P I Q S E:step_failed B"
    assert len(transactions_of_the_last_hops(created, "step_1")) == 1


def test_s2_handler_that_wants_no_retry_blocks_in_one_transaction():
    created = ticks.start(linear(2, steps={"step_1": {"retry": LATER}}))

    ticks.fail_step(retryable=False)

    assert_blocked_at_the_first_attempt(created)


def test_s6_template_that_wants_no_retry_overrules_its_handler():
    policy = {"retry": LATER | {"retryable": False}}
    created = ticks.start(linear(2, steps={"step_1": policy}))

    ticks.fail_step(retryable=True)

    assert_blocked_at_the_first_attempt(created)


# ------------------------------------------------------------ S4


@pytest.mark.parametrize("action", OPERATIONS)
@pytest.mark.parametrize("task_is", ["blocked_by_failures", "waiting_for_retry"])
def test_s4_child_of_a_step_finished_by_hand_is_enqueued_at_once(action, task_is, clock):
    graph = {"failed": [], "other": [], "child": ["failed"]}
    created = ticks.start(shape("by_hand", graph, steps={"other": {"retry": LATER}}))
    failed, other = ticks.claim()
    is_waiting = task_is == "waiting_for_retry"
    ticks.report(
        ticks.failure(failed, retryable=False),
        ticks.failure(other) if is_waiting else ticks.success(other),
    )
    ticks.process()
    assert state_of(created) == task_is

    OPERATIONS[action](failed.workflow_step_uuid)

    assert state_of(created) == "steps_in_process"
    assert states(created.task_uuid)["child"] == "enqueued"
    clock.advance(61)
    ticks.run_to_the_end()
    assert state_of(created) == "complete"
