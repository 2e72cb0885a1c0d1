"""Processes that are asked to stop lose nothing: scenario X7, and a rolling restart of all."""

import itertools
import signal
import threading
import time
from collections import Counter
from uuid import UUID

import pytest

from orchestration.models import TaskerProcess, WorkflowStep
from orchestration.testing import diamond, linear
from tests.clusters import Cluster, step
from tests.factories import ticks
from tests.factories.histories import RAN_ONCE, step_histories
from tests.handlers.shapes import napping
from tests.processes import ManageProcess

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
WAIT = {"handler": {"callable": "test.wait"}}
GIVEN_BACK = "pending enqueued in_progress enqueued:release in_progress efo complete"
PATIENCE_SECONDS = 60.0


def start_waiting(cluster: Cluster, gate) -> UUID:
    """Start a chain whose first step is running and waits at the gate."""
    created = ticks.start(linear(2, name="waiting", steps={"step_1": WAIT}), {"gate": str(gate)})
    cluster.waits(lambda: (gate / "step_1.1").exists(), within=20)
    return created.task_uuid


def status_of(worker: ManageProcess) -> str:
    return TaskerProcess.objects.get(pid=worker.child.pid).status


def ask_to_stop(cluster: Cluster, worker: ManageProcess) -> None:
    worker.send(signal.SIGTERM)
    cluster.waits(lambda: status_of(worker) == "draining")


# ------------------------------------------------------------ X7


def test_handler_shorter_than_the_grace_is_reported(own_cluster: Cluster, gate):
    own_cluster.orchestrator()
    worker = own_cluster.worker("test", "--grace-seconds", "60")
    task_uuid = start_waiting(own_cluster, gate)

    ask_to_stop(own_cluster, worker)
    (gate / "go").touch()

    assert worker.ends(30) == 0
    assert status_of(worker) == "stopped"
    own_cluster.waits(lambda: step(task_uuid, "step_2").state == "enqueued")
    own_cluster.worker()
    own_cluster.settles(task_uuid)
    assert step_histories(task_uuid) == {"step_1": RAN_ONCE, "step_2": RAN_ONCE}


def test_handler_longer_than_the_grace_is_given_back(own_cluster: Cluster, gate):
    own_cluster.orchestrator()
    worker = own_cluster.worker("test", "--grace-seconds", "1")
    task_uuid = start_waiting(own_cluster, gate)

    worker.send(signal.SIGTERM)

    assert worker.ends(30) == 0
    assert status_of(worker) == "stopped"
    given_back = step(task_uuid, "step_1")
    assert (given_back.state, given_back.attempts, given_back.requeue_count) == ("enqueued", 0, 0)
    (gate / "step_1.1").unlink()
    own_cluster.worker()
    own_cluster.waits(lambda: (gate / "step_1.1").exists(), within=20)  # the first attempt again
    (gate / "go").touch()
    own_cluster.settles(task_uuid)
    assert step_histories(task_uuid) == {"step_1": GIVEN_BACK, "step_2": RAN_ONCE}
    assert step(task_uuid, "step_1").attempts == 1


def test_second_signal_gives_back_at_once(own_cluster: Cluster, gate):
    own_cluster.orchestrator()
    worker = own_cluster.worker("test", "--grace-seconds", "600")
    task_uuid = start_waiting(own_cluster, gate)
    ask_to_stop(own_cluster, worker)

    worker.send(signal.SIGTERM)

    assert worker.ends(30) == 0
    assert step(task_uuid, "step_1").attempts == 0
    own_cluster.worker()
    (gate / "go").touch()
    own_cluster.settles(task_uuid)
    assert step_histories(task_uuid)["step_1"] == GIVEN_BACK


# ------------------------------------------------------------ a rolling restart


class Feeder:
    """Creates tasks of 50 to 200 ms a step until it is told that there are enough."""

    def __init__(self, ledger) -> None:
        self.made: list[UUID] = []
        self.error: BaseException | None = None
        self._is_over = threading.Event()
        self._context = {"ledger": str(ledger)}
        self._thread = threading.Thread(target=self._feed)

    def _feed(self) -> None:
        from django.db import connections

        shapes = itertools.cycle([napping(linear()), napping(diamond())])
        try:
            while not self._is_over.wait(0.2):
                self.made.append(ticks.start(next(shapes), self._context).task_uuid)
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self.error = error
        finally:
            connections.close_all()

    def __enter__(self) -> "Feeder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        assert self.error is None


def replace(cluster: Cluster, old: ManageProcess, start) -> ManageProcess:
    """Start the next process, then ask the old one to stop, as a deployment does."""
    new: ManageProcess = start()
    old.send(signal.SIGTERM)
    assert old.ends(PATIENCE_SECONDS) == 0, old.output
    assert status_of(old) == "stopped"
    return new


def test_no_step_is_attempted_twice_because_of_a_rolling_restart(own_cluster: Cluster, tmp_path):
    ledger = tmp_path / "ledger"
    orchestrators = [own_cluster.orchestrator() for _ in range(2)]

    def start_worker() -> ManageProcess:
        return own_cluster.worker("test", "--slots", "4", "--grace-seconds", "30")

    workers = [start_worker() for _ in range(3)]

    with Feeder(ledger) as feeder:
        own_cluster.waits(lambda: len(feeder.made) > 3)
        for old in workers[:2]:
            replace(own_cluster, old, start_worker)
        for old in orchestrators:
            replace(own_cluster, old, own_cluster.orchestrator)
        replace(own_cluster, workers[2], start_worker)
        time.sleep(0.5)
    own_cluster.reaches(feeder.made, ["complete"], within=PATIENCE_SECONDS)

    steps = WorkflowStep.objects.filter(task_id__in=feeder.made)
    assert steps.count() == 4 * len(feeder.made)
    assert set(steps.values_list("attempts", "requeue_count")) == {(1, 0)}
    for uuid in feeder.made:
        assert set(step_histories(uuid).values()) == {RAN_ONCE}
    assert set(Counter(ledger.read_text().splitlines()).values()) == {1}
    assert len(ledger.read_text().splitlines()) == steps.count()
