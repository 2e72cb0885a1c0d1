"""Claiming, taking results and reaping for one step or task, beside those of others."""

from uuid import uuid4

import pytest

from orchestration.lifecycle import due_work, result_processor
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import WorkflowStep
from orchestration.queries.steps import claim_steps
from orchestration.testing import fan_in, linear
from tests.factories import ticks

pytestmark = pytest.mark.django_db


def states(created):
    steps = WorkflowStep.objects.filter(task=created.task_uuid)
    return sorted(steps.values_list("state", flat=True))


def test_only_the_step_that_is_named_is_claimed():
    ticks.start(linear(1))
    created = ticks.start(fan_in(3))
    wanted = WorkflowStep.objects.get(task=created.task_uuid, name="root_2")

    claims = claim_steps(
        "worker_test_queue", worker_uuid=uuid4(), limit=10, lease_seconds=30, only=wanted.pk
    )

    assert [claim.workflow_step_uuid for claim in claims] == [wanted.pk]
    assert len(ticks.claim()) == 3


def test_all_results_of_a_task_are_taken_and_no_others():
    other, created = ticks.start(linear(1)), ticks.start(fan_in(2))
    ticks.report(*map(ticks.success, ticks.claim()))

    batch = result_processor.process_task(created.task_uuid, move=ticks.MOVE)

    assert len(batch.settled) == 2
    assert states(created) == ["complete", "complete", "enqueued"]
    assert states(other) == ["enqueued_for_orchestration"]


def test_a_result_that_nobody_can_use_is_raised_to_who_runs_the_task_by_hand():
    created = ticks.start(linear(1))
    pgmq.send(RESULTS_QUEUE, {"task_uuid": str(created.task_uuid), "step_uuid": "none"})

    with pytest.raises(result_processor.UnusableMessageError, match="malformed"):
        result_processor.process_task(created.task_uuid, move=ticks.MOVE)


def test_only_the_claims_of_the_task_that_is_named_are_reaped(clock):
    other, created = ticks.start(linear(1)), ticks.start(linear(1))
    ticks.claim()
    clock.advance(31)

    assert due_work.reap_lost_claims(move=ticks.MOVE, task_uuid=created.task_uuid) == 1

    assert (states(created), states(other)) == (["enqueued"], ["in_progress"])
    assert due_work.reap_lost_claims(move=ticks.MOVE, task_uuid=created.task_uuid) == 0
