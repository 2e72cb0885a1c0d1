"""Connections that are cut, refused or go silent while work is under way: scenario X13."""

import itertools
import time
from collections import Counter

import pytest
from django.db import connections

from orchestration.models import Task, TaskerProcess, WorkflowStep
from orchestration.testing import diamond, linear
from tests.clusters import Cluster, step
from tests.factories import ticks
from tests.factories.histories import RAN_ONCE, step_histories
from tests.forwarder import Forwarder
from tests.processes import can_listen

pytestmark = pytest.mark.acceptance
FAR = {
    "TASKER_ORCHESTRATOR_POLL_MS": "300000",
    "TASKER_WORKER_POLL_MS": "300000",
    "TASKER_POLLING_ONLY_MS": "300000",
    "TASKER_SWEEP_SECONDS": "3600",
}
OUTAGE_SECONDS = 8
WAIT = {"step_1": {"handler": {"callable": "test.wait"}}}


def terminate(pattern: str) -> int:
    """End the sessions whose application name is like the pattern; return how many."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s",
            [pattern],
        )
        return int(cursor.fetchone()[0])


def runs(ledger) -> Counter[tuple[str, ...]]:
    """Return how often each step of each task ran."""
    return Counter(tuple(line.split()) for line in ledger.read_text().splitlines())


@pytest.mark.timeout(120)
def test_all_sessions_ended_again_and_again_under_load(own_cluster: Cluster, tmp_path):
    ledger = tmp_path / "ledger"
    for _ in range(2):
        own_cluster.orchestrator()
        own_cluster.worker("test", "--slots", "4")
    shapes = itertools.cycle([linear(4), diamond()])
    made = []

    ended = 0
    for _ in range(4):
        tasks = itertools.islice(shapes, 15)
        made += [ticks.start(each, {"ledger": str(ledger)}).task_uuid for each in tasks]
        time.sleep(0.4)
        ended += terminate("tasker:%")
        time.sleep(0.6)

    # four times: four processes with a connection at work, and a listener where there can be one
    assert ended >= 4 * (6 if can_listen() else 3)
    own_cluster.reaches(made, ["complete"], within=60)
    steps = WorkflowStep.objects.filter(task_id__in=made)
    expected = {(str(task), name): 1 for task, name in steps.values_list("task_id", "name")}
    assert runs(ledger) == expected


@pytest.mark.timeout(90)
@pytest.mark.listens
def test_messages_that_arrive_while_nobody_listens_are_drained(own_cluster: Cluster):
    """X13: no poll and no sweep helps, only the look that follows every reconnection."""
    own_cluster.orchestrator("--mode", "EventDrivenOnly", **FAR)
    own_cluster.worker("test", "--mode", "EventDrivenOnly", **FAR)
    own_cluster.run(linear(4))

    made = []
    for _ in range(3):
        assert terminate("%:listen") == 2
        # One second passes before they listen again; what is sent meanwhile wakes nobody.
        made += [ticks.start(linear(4)).task_uuid for _ in range(5)]
        own_cluster.settles(*made, within=10)

    for uuid in made:
        assert set(step_histories(uuid).values()) == {RAN_ONCE}


@pytest.mark.timeout(120)
def test_a_database_that_refuses_everything_for_longer_than_a_lease(
    door: Forwarder, own_cluster: Cluster, tmp_path
):
    """What was finished meanwhile is reported afterwards; nothing runs twice, no slot is lost."""
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    gate.mkdir()
    through = {"DATABASE_URL": door.url}
    own_cluster.orchestrator(**through)
    worker = own_cluster.worker("test", "--slots", "2", **through)
    context = {"ledger": str(ledger), "gate": str(gate)}
    waiting = linear(1, name="waiting", steps=WAIT)
    made = [ticks.start(waiting, context).task_uuid for _ in range(4)]
    running = WorkflowStep.objects.filter(state="in_progress")
    # not only claimed: a handler whose template cannot be read any more has failed
    own_cluster.waits(lambda: ledger.exists() and sum(runs(ledger).values()) == 2)

    door.shut()
    (gate / "go").touch()
    time.sleep(OUTAGE_SECONDS)
    held = set(running.values_list("pk", flat=True))
    assert len(held) == 2  # the lease of the test profile, 6 s, is over
    assert "step.report" not in worker.output
    door.open()
    own_cluster.reaches(made, ["complete"], within=40)

    assert set(WorkflowStep.objects.values_list("attempts", flat=True)) == {1}
    assert set(runs(ledger).values()) == {1}


@pytest.mark.benchmark  # for its length: the listener alone is in integration/…/test_listener.py
@pytest.mark.timeout(120)
@pytest.mark.listens
def test_a_network_that_swallows_everything_is_noticed_by_silence(
    door: Forwarder, own_cluster: Cluster
):
    """Nothing is closed, nothing refused: EventDrivenOnly would sleep for ever."""
    own_cluster.orchestrator("--mode", "EventDrivenOnly", **FAR)
    worker = own_cluster.worker(
        "test", "--mode", "EventDrivenOnly", DATABASE_URL=door.url, TASKER_LEASE_SECONDS="60", **FAR
    )
    own_cluster.run(linear(2))
    own_cluster.waits(
        lambda: TaskerProcess.objects.filter(kind="worker", has_liveness_lock=True).exists()
    )

    door.swallow()
    task_uuid = ticks.start(linear(2)).task_uuid
    # The listener: 15 s of silence, 5 s without an answer, 1 s of pause. A connection of the pool
    # that is silent is given up 15 s after the 30 s that a statement may take.
    own_cluster.settles(task_uuid, within=75)

    worker.says("listener.reconnected")
    assert Task.objects.get(pk=task_uuid).state == "complete"
    assert step(task_uuid, "step_1").attempts == 1
