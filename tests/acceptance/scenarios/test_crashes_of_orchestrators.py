"""An orchestrator that is killed after any statement of a transaction: scenario X8.

The turns are killed as in test_crash_points.py; here real processes finish what the dead one left.
"""

import pytest

from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import Task
from orchestration.testing import diamond, linear
from tests.clusters import Cluster
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, RAN_ONCE, step_histories, task_history

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]


def test_creation_leaves_all_or_nothing_wherever_it_is_killed(crashes, own_cluster: Cluster):
    assert crashes.everywhere("create", template="linear_4") >= 5

    task = Task.objects.get()
    own_cluster.orchestrator()
    own_cluster.worker()
    own_cluster.settles(task.pk)
    assert task_history(task.pk) == LINEAR_4


def test_results_are_processed_wholly_or_not_wherever_it_is_killed(crashes, own_cluster: Cluster):
    chain = ticks.start(linear(4)).task_uuid
    other = ticks.start(diamond()).task_uuid
    ticks.report(*map(ticks.success, ticks.claim()))

    assert crashes.everywhere("results") >= 4

    assert {task_history(uuid) for uuid in (chain, other)} == {"P I Q S E Q S"}
    assert pgmq.metrics(RESULTS_QUEUE).depth == 0
    own_cluster.orchestrator()
    own_cluster.worker()
    own_cluster.settles(chain, other)
    assert task_history(chain) == LINEAR_4
    assert set(step_histories(chain).values()) == {RAN_ONCE}
    assert set(step_histories(other).values()) == {RAN_ONCE}


def test_another_orchestrator_takes_over_from_a_killed_one(own_cluster: Cluster):
    doomed = own_cluster.orchestrator()
    tasks = [ticks.start(linear(4)).task_uuid for _ in range(20)]
    own_cluster.worker()
    own_cluster.reaches(tasks[:1], ["complete"])

    doomed.kill()
    own_cluster.orchestrator()
    own_cluster.settles(*tasks, within=20)

    assert {task_history(uuid) for uuid in tasks} == {LINEAR_4}
