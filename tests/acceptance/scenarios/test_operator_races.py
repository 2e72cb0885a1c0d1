"""An operator against a worker or an orchestrator, over the same step: scenario X9.

Each pair in both orders, with the second beginning before the first has committed, and many times
at once. Either may win; nobody loses a deadlock, and nothing is left in between.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from orchestration.errors import ActionRefusedError
from orchestration.lifecycle.operator_actions import cancel_task, reset_step, retry_failed_steps
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE, worker_queue
from orchestration.models import Task, WorkflowStep
from orchestration.testing import linear, shape
from tests.clusters import assert_one_accepted_result
from tests.factories import ticks
from tests.factories.histories import step_histories, task_history
from tests.races import overtake, race

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]
ROUNDS = 25
PAIR = shape("pair", {"a": [], "b": []})


@pytest.fixture(autouse=True)
def _nothing_is_left_in_between(caplog):
    yield
    ticks.assert_invariants()
    assert_one_accepted_result()
    assert "transaction.repeated" not in caplog.messages  # a deadlock that was lost


def state_of(created) -> str:
    return Task.objects.get(pk=created.task_uuid).state


def step_of(created, name: str = "step_1") -> WorkflowStep:
    return WorkflowStep.objects.get(task_id=created.task_uuid, name=name)


def cancelling(created) -> Callable[[], Any]:
    return partial(cancel_task, created.task_uuid, actor="user:1")


def claiming() -> Any:
    return [claimed.workflow_step_uuid for claimed in ticks.claim()]


def is_all_over() -> bool:
    """Tell whether no queue holds a message any more."""
    return not (pgmq.metrics(worker_queue("test")).depth or pgmq.metrics(RESULTS_QUEUE).depth)


# ------------------------------------------------------------ cancel against claim


def test_claim_that_comes_while_its_task_is_cancelled_finds_nothing():
    created = ticks.start(linear(2))

    _, claimed = overtake(cancelling(created), claiming)

    assert claimed == []
    assert state_of(created) == "cancelled"
    assert step_histories(created.task_uuid)["step_1"] == "pending enqueued cancelled:cancel"
    assert is_all_over()


def test_task_that_is_cancelled_while_its_step_is_claimed_takes_the_claim_back():
    created = ticks.start(linear(2))
    found: list[Any] = []

    overtake(lambda: found.extend(ticks.claim()), cancelling(created))

    assert state_of(created) == "cancelled"
    assert step_histories(created.task_uuid)["step_1"] == (
        "pending enqueued in_progress cancelled:cancel"
    )
    assert ticks.report(ticks.success(found[0])) == [False]
    assert is_all_over()


def test_cancelling_and_claiming_at_once():
    seen = Counter[int]()
    for _ in range(ROUNDS):
        created = ticks.start(linear(2))

        cancelled, claims = race(cancelling(created), ticks.claim)

        assert not isinstance(cancelled, Exception), cancelled
        assert state_of(created) == "cancelled"
        assert [ticks.report(ticks.success(claim)) for claim in claims] == [[False]] * len(claims)
        assert step_of(created).state == "cancelled"
        seen[len(claims)] += 1
    assert is_all_over()
    assert set(seen) <= {0, 1}


# ------------------------------------------------------------ cancel against report


def test_report_that_comes_while_its_task_is_cancelled_is_refused():
    created = ticks.start(linear(2))
    (claimed,) = ticks.claim()

    _, accepted = overtake(cancelling(created), lambda: ticks.report(ticks.success(claimed)))

    assert accepted == [False]
    assert state_of(created) == "cancelled"
    assert is_all_over()


def test_task_that_is_cancelled_while_its_result_is_stored_drops_the_result():
    created = ticks.start(linear(2))
    (claimed,) = ticks.claim()

    accepted, _ = overtake(lambda: ticks.report(ticks.success(claimed)), cancelling(created))

    assert accepted == [True]
    assert state_of(created) == "cancelled"
    ticks.process()
    assert step_histories(created.task_uuid)["step_1"] == (
        "pending enqueued in_progress efo cancelled:cancel"
    )
    assert is_all_over()


def test_cancelling_and_reporting_at_once():
    """The result of a last step: its task is complete or cancelled, never both."""
    for _ in range(ROUNDS):
        created = ticks.start(linear(1))
        (claimed,) = ticks.claim()

        cancelled, accepted, processed = race(
            cancelling(created), partial(ticks.report, ticks.success(claimed)), ticks.process
        )
        ticks.process()

        is_refused = isinstance(cancelled, ActionRefusedError)
        assert is_refused or not isinstance(cancelled, Exception), cancelled
        assert not isinstance(processed, Exception), processed
        assert state_of(created) == ("complete" if is_refused else "cancelled")
        assert accepted in ([True], [False])
        assert accepted == [True] or not is_refused
    assert is_all_over()


# ------------------------------------------------------------ reset against result


def failed_for_good(template=None):
    """Return a task of which one step has failed for good, not processed yet, and its claims."""
    created = ticks.start(template or linear(2))
    claims = ticks.claim()
    assert ticks.report(ticks.failure(claims[0], retryable=False)) == [True]
    return created, claims


def resetting(step: WorkflowStep) -> Callable[[], Any]:
    return partial(reset_step, step.pk, actor="user:1")


def test_reset_that_waits_for_the_result_is_done_after_it():
    created, _ = failed_for_good()

    _, reset = overtake(ticks.process, resetting(step_of(created)))

    assert not isinstance(reset, Exception), reset
    assert task_history(created.task_uuid) == "P I Q S E:step_failed B E:reevaluate Q S"
    assert step_of(created).attempts == 0
    ticks.run_to_the_end()
    assert state_of(created) == "complete"


def test_reset_that_comes_before_the_result_is_refused_and_takes_nothing_from_it():
    created, _ = failed_for_good()

    with pytest.raises(ActionRefusedError):
        reset_step(step_of(created).pk, actor="user:1")
    ticks.process()

    assert task_history(created.task_uuid) == "P I Q S E:step_failed B"
    assert step_of(created).state == "error"


def test_resetting_and_processing_the_failure_at_once():
    seen = Counter[bool]()
    for _ in range(ROUNDS):
        created, _ = failed_for_good()

        reset, processed = race(resetting(step_of(created)), ticks.process)

        assert processed == 1
        is_refused = isinstance(reset, ActionRefusedError)
        assert is_refused or not isinstance(reset, Exception), reset
        assert (state_of(created), step_of(created).state) == (
            ("blocked_by_failures", "error") if is_refused else ("steps_in_process", "enqueued")
        )
        seen[is_refused] += 1
        if is_refused:
            reset_step(step_of(created).pk, actor="user:1")
        ticks.run_to_the_end()
        assert state_of(created) == "complete"
    assert sum(seen.values()) == ROUNDS


@pytest.mark.parametrize("how", ["reset first", "result first", "at once"])
def test_reset_of_a_step_and_the_result_of_its_sibling(how):
    """Both belong to one task that has nothing else in flight."""
    for _ in range(ROUNDS if how == "at once" else 1):
        created, (_, sibling) = failed_for_good(PAIR)
        ticks.process()
        assert ticks.report(ticks.success(sibling)) == [True]
        reset = partial(retry_failed_steps, created.task_uuid, actor="user:1")

        if how == "reset first":
            outcomes = overtake(reset, ticks.process)
        elif how == "result first":
            outcomes = overtake(ticks.process, reset)
        else:
            outcomes = tuple(race(reset, ticks.process))

        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        ticks.process()
        assert state_of(created) == "steps_in_process"
        assert (step_of(created, "a").state, step_of(created, "b").state) == (
            "enqueued",
            "complete",
        )
        ticks.run_to_the_end()
        assert state_of(created) == "complete"
