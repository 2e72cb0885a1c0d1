"""An orchestrator that is killed after any statement of a transaction: scenario X8."""

import subprocess
import sys

import pytest

from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import Task, TaskTransition
from orchestration.testing import diamond, linear
from tests.clusters import Cluster
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, RAN_ONCE, step_histories, task_history
from tests.processes import PROJECT, child_environment

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]
MOST_STATEMENTS = 30


def crash(turn: str, count: int) -> bool:
    """Run a turn that dies after so many statements; tell whether it did."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crashing", turn, str(count)],
        env=child_environment(),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == -9


def test_creation_leaves_all_or_nothing_wherever_it_is_killed(own_cluster: Cluster):
    killed = 0
    for count in range(1, MOST_STATEMENTS):
        if not crash("create", count):
            break
        killed += 1
        assert not Task.objects.exists()
        assert not TaskTransition.objects.exists()
        assert pgmq.metrics("worker_test_queue").depth == 0

    assert killed >= 5
    task = Task.objects.get()
    ticks.assert_invariants()
    own_cluster.orchestrator()
    own_cluster.worker()
    own_cluster.settles(task.pk)
    assert task_history(task.pk) == LINEAR_4


def test_results_are_processed_wholly_or_not_wherever_it_is_killed(own_cluster: Cluster):
    chain = ticks.start(linear(4)).task_uuid
    other = ticks.start(diamond()).task_uuid
    ticks.report(*map(ticks.success, ticks.claim()))
    before = {uuid: task_history(uuid) for uuid in (chain, other)}

    killed = 0
    for count in range(1, MOST_STATEMENTS):
        if not crash("results", count):
            break
        killed += 1
        assert {uuid: task_history(uuid) for uuid in before} == before
        assert pgmq.metrics(RESULTS_QUEUE).depth == 2
        ticks.assert_invariants()

    assert killed >= 4
    assert {task_history(uuid) for uuid in before} == {"P I Q S E Q S"}
    assert pgmq.metrics(RESULTS_QUEUE).depth == 0
    ticks.assert_invariants()
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
