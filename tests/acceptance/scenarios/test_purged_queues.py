"""Queues that somebody purges by hand while everybody works: the second half of scenario X14.

The sweep sends again what steps miss. Steps that a living worker runs need no message: nobody takes
them back because theirs is gone.
"""

import time
from collections import Counter

import pytest
from django.db import transaction

from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE, worker_queue
from orchestration.models import WorkflowStep
from orchestration.testing import linear
from tests.clusters import Cluster
from tests.crashing import ask
from tests.factories import ticks
from tests.factories.histories import RAN_ONCE, step_histories
from tests.handlers.shapes import napping

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
WORKER_QUEUE = worker_queue("test")
BY_MESSAGE = {"TASKER_INLINE_ADVANCE": "false"}  # so that there are results on their queue
OFTEN = {"TASKER_SWEEP_SECONDS": "5", "TASKER_STRANDED_SECONDS": "5"}
WAIT = {"step_1": {"handler": {"callable": "test.wait"}}}


def purge(queue: str) -> int:
    """Empty a queue as an operator does; return how many messages are gone."""
    return int(ask("SELECT pgmq.purge_queue(%s)", queue)[0][0])


def test_queues_that_are_purged_under_load_are_filled_again(own_cluster: Cluster, gate, tmp_path):
    context = {"ledger": str(tmp_path / "ledger")}
    for _ in range(2):
        own_cluster.worker("test", "--slots", "4", **OFTEN, **BY_MESSAGE)
    held = ticks.start(linear(1, name="held", steps=WAIT), context | {"gate": str(gate)})
    own_cluster.waits((gate / "step_1.1").exists, within=20)

    # Nobody processes results yet: they wait, and so do the steps behind the slots. All of them
    # come at one moment, more than the slots work off before the purge.
    with transaction.atomic():
        made = [ticks.start(napping(linear(3)), context).task_uuid for _ in range(80)]
    own_cluster.waits(lambda: pgmq.metrics(RESULTS_QUEUE).depth >= 5, within=20)
    gone = Counter({queue: purge(queue) for queue in (WORKER_QUEUE, RESULTS_QUEUE)})
    assert min(gone.values()) >= 5, gone

    for _ in range(2):
        own_cluster.orchestrator(**OFTEN)
    for _ in range(5):
        made += [ticks.start(napping(linear(3)), context).task_uuid for _ in range(5)]
        time.sleep(0.3)
        gone.update({queue: purge(queue) for queue in (WORKER_QUEUE, RESULTS_QUEUE)})
    own_cluster.reaches(made, ["complete"], within=90)
    (gate / "go").touch()
    own_cluster.settles(held.task_uuid)

    said = "\n".join(each.output for each in own_cluster.processes.started)
    assert said.count("task.recovered") >= min(gone.values())
    made.append(held.task_uuid)
    steps = WorkflowStep.objects.filter(task_id__in=made)
    assert set(steps.values_list("attempts", "requeue_count")) == {(1, 0)}
    for uuid in made:
        assert set(step_histories(uuid).values()) == {RAN_ONCE}
    ran = Counter((tmp_path / "ledger").read_text().splitlines())
    assert set(ran.values()) == {1}
    assert len(ran) == steps.count()
