"""Whoever dies after whatever it sent has done its turn wholly or not at all: X8, engine.md 7.5.

Beside creation and results (test_crashes_of_orchestrators.py: on real processes) these are mixed
batches, the caller's own transaction, timers, discovery, and operators. A turn is killed after its
first statement, then after its second, and so on up to its commit. Until then not one row of any
table or queue is another; from then on the turn is done, and nobody needs to repeat it.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.utils import timezone

from orchestration.client import create_task, request_task
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import Task, WorkflowStep
from orchestration.queries.steps import Claim, StepReport
from orchestration.testing import diamond, linear
from templates_registry import registry
from templates_registry.models import DependentSystem
from tests.factories import ticks
from tests.factories.dynamic import approval, batched, names, route, split
from tests.factories.histories import RAN_ONCE, RAN_TWICE, step_histories, task_history
from tests.processes import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]
FLAKY = {"retry": {"backoff": "linear", "backoff_base_ms": 700}}
SLOW = {"retry": {"backoff": "linear", "backoff_base_ms": 60_000}}
DIAMOND = "P I Q S E Q S E Q S E C"


def step_of(created, name="step_1"):
    return WorkflowStep.objects.get(task_id=created.task_uuid, name=name)


# ------------------------------------------------------------ 7.1: creation


def test_repeated_creation_finds_the_task_of_the_one_that_died_after_its_commit(crashes):
    registry.register(diamond())

    assert crashes.everywhere("create", template="diamond") >= 5

    again = create_task("diamond", namespace="test", idempotency_key="crash")
    assert not again.created
    assert Task.objects.get().pk == again.task_uuid
    ticks.run_to_the_end()
    assert task_history(again.task_uuid) == DIAMOND


def test_creation_dies_with_the_transaction_of_its_caller(crashes):
    registry.register(diamond())

    assert crashes.everywhere("create_within") >= 6

    assert DependentSystem.objects.filter(name="the caller's own").exists()
    task = Task.objects.get()
    assert task_history(task.pk) == "P I Q S"
    ticks.run_to_the_end()
    assert task_history(task.pk) == DIAMOND


def test_request_is_in_the_queue_until_its_task_is_there(crashes):
    registry.register(diamond())
    request_task("diamond", namespace="test")

    assert crashes.everywhere("request") >= 6

    ticks.run_to_the_end()
    assert task_history(Task.objects.get().pk) == DIAMOND


# ------------------------------------------------------------ 7.2: results


def test_batch_of_every_outcome_is_processed_wholly_or_not(crashes):
    good = ticks.start(linear(2, name="good"))
    flaky = ticks.start(linear(2, name="flaky", steps={"step_1": SLOW}))
    broken = ticks.start(linear(2, name="broken"))
    last = ticks.start(linear(1, name="last"))
    outcomes: dict[UUID, Callable[[Claim], StepReport]] = {
        good.task_uuid: ticks.success,
        flaky.task_uuid: ticks.failure,
        broken.task_uuid: partial(ticks.failure, retryable=False),
        last.task_uuid: ticks.success,
    }
    ticks.report(*(outcomes[claimed.task_uuid](claimed) for claimed in ticks.claim()))
    obsolete = {"task_uuid": str(good.task_uuid), "step_uuid": str(step_of(good).pk)}
    pgmq.send(RESULTS_QUEUE, obsolete | {"state_version": 1})

    assert crashes.everywhere("results") >= 4

    assert pgmq.metrics(RESULTS_QUEUE).depth == 0
    assert [task_history(made.task_uuid) for made in (good, flaky, broken, last)] == [
        "P I Q S E Q S",
        "P I Q S E:step_failed R",
        "P I Q S E:step_failed B",
        "P I Q S E C",
    ]
    ticks.run_to_the_end()
    assert task_history(good.task_uuid) == "P I Q S E Q S E C"


def test_both_results_of_a_join_are_processed_wholly_or_not(crashes):
    made = ticks.start(diamond())
    ticks.run_step()
    ticks.report(*map(ticks.success, ticks.claim()))

    assert crashes.everywhere("results") >= 4

    assert task_history(made.task_uuid) == "P I Q S E Q S E Q S"
    ticks.run_to_the_end()
    assert task_history(made.task_uuid) == DIAMOND
    assert set(step_histories(made.task_uuid).values()) == {RAN_ONCE}


def test_steps_of_a_decision_and_of_an_analyser_are_all_there_or_none(crashes):
    decision = ticks.start(approval())
    refused = ticks.start(approval())
    ticks.report(*map(ticks.success, ticks.claim()))
    ticks.process()
    analysis = ticks.start(batched())
    outcomes = {
        decision.task_uuid: route("small", "large"),
        refused.task_uuid: route("nowhere"),
        analysis.task_uuid: split("1", "2"),
    }
    said = (ticks.success(each, outcomes[each.task_uuid]) for each in ticks.claim())
    ticks.report(*said)

    assert crashes.everywhere("results") >= 10

    ticks.run_to_the_end()
    assert names(decision.task_uuid) == {"validate", "decide", "small", "large", "finish"}
    assert names(refused.task_uuid) == {"validate", "decide"}
    assert names(analysis.task_uuid) == {"analyse", "work_1", "work_2", "aggregate"}
    assert [task_history(made.task_uuid)[-1] for made in (decision, refused, analysis)] == [
        "C",
        "B",
        "C",
    ]


# ------------------------------------------------------------ timers and discovery


def test_due_retries_start_wholly_or_not(crashes):
    made = [ticks.start(linear(1, name="flaky", steps={"step_1": FLAKY})) for _ in range(3)]
    ticks.report(*map(ticks.failure, ticks.claim()))
    ticks.process()
    wait_until(lambda: all(step_of(each).next_retry_at <= timezone.now() for each in made))

    assert crashes.everywhere("retries") >= 5

    assert {task_history(each.task_uuid) for each in made} == {"P I Q S E:step_failed R Q S"}
    ticks.run_to_the_end()
    assert {step_histories(each.task_uuid)["step_1"] for each in made} == {RAN_TWICE}


def test_lost_claims_are_taken_back_wholly_or_not(crashes):
    again = ticks.start(linear(1, name="again"))
    never = ticks.start(linear(1, name="never", steps={"step_1": {"retry": {"max_attempts": 1}}}))
    assert len(ticks.claim()) == 2
    long_ago = timezone.now() - timedelta(minutes=1)
    WorkflowStep.objects.filter(state="in_progress").update(lease_until=long_ago)

    assert crashes.everywhere("reap") >= 4

    assert task_history(never.task_uuid) == "P I Q S E:step_failed B"
    assert task_history(again.task_uuid) == "P I Q S"
    assert step_of(again).requeue_count == 1
    ticks.run_to_the_end()
    assert task_history(again.task_uuid) == "P I Q S E C"


def test_waiting_tasks_are_let_in_wholly_or_not(crashes):
    made = [ticks.start(diamond(), start=False) for _ in range(3)]

    assert crashes.everywhere("admit") >= 5

    assert {task_history(each.task_uuid) for each in made} == {"P I Q S"}
    ticks.run_to_the_end()
    assert {task_history(each.task_uuid) for each in made} == {DIAMOND}


# ------------------------------------------------------------ operators


@pytest.mark.parametrize(
    ("action", "task", "step"),
    [
        ("cancel_task", "cancelled", "cancelled"),
        ("retry_failed_steps", "steps_in_process", "enqueued"),
        ("reset_step", "steps_in_process", "enqueued"),
        ("resolve_step", "steps_in_process", "resolved_manually"),
    ],
)
def test_operator_acts_wholly_or_not(crashes, action, task, step):
    made = ticks.blocked()
    uuid = step_of(made).pk if action.endswith("_step") else made.task_uuid

    assert crashes.everywhere("operate", action=action, uuid=str(uuid)) >= 4

    assert Task.objects.get(pk=made.task_uuid).state == task
    assert step_of(made).state == step
    ticks.run_to_the_end()
    assert Task.objects.get(pk=made.task_uuid).state in {"cancelled", "complete"}
