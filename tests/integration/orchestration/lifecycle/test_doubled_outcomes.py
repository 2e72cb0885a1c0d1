"""The result message of a decision or an analyser that comes twice: nothing is created twice."""

import pytest

from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import WorkflowStepEdge
from tests.factories import ticks
from tests.factories.dynamic import batched, dynamic, names, route, split
from tests.factories.histories import RAN_ONCE, step_histories

pytestmark = pytest.mark.django_db
DECIDING = dynamic("pick", "first; ?gate < first; small < gate; +finish < small")
SPLITTING = batched()


@pytest.mark.parametrize(
    ("template", "before", "gate", "result"),
    [(DECIDING, 1, "gate", route("small")), (SPLITTING, 0, "analyse", split("1", "2"))],
)
def test_same_result_message_twice_creates_nothing_twice(template, before, gate, result):
    task_uuid = ticks.start(template).task_uuid
    for _ in range(before):
        ticks.run_step()
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed, result))
    (message,) = pgmq.read(RESULTS_QUEUE, limit=1, visibility_seconds=0)

    ticks.process()
    pgmq.send(RESULTS_QUEUE, message.body)
    there = names(task_uuid), WorkflowStepEdge.objects.count()
    ticks.process()

    assert (names(task_uuid), WorkflowStepEdge.objects.count()) == there
    assert step_histories(task_uuid)[gate] == RAN_ONCE
