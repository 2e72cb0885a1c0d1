"""Pools of real processes under load: they grow, are shown, come back, and lose nothing."""

import json
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import Task, TaskerProcess, WorkflowStep
from orchestration.queries.steps import report_steps
from orchestration.testing import shape
from tests.clusters import Cluster
from tests.factories import ticks
from tests.factories.ticks import assert_invariants
from tests.processes import Processes

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

TASKS, STEPS = 100, 30
QUICK = {
    "TASKER_LOG_LEVEL": "INFO",
    "TASKER_HEARTBEAT_SECONDS": "1",
    "TASKER_POOL_SCALE_SECONDS": "1",
    "TASKER_POOL_UP_COOLDOWN_SECONDS": "0",
    "TASKER_POOL_DOWN_COOLDOWN_SECONDS": "0",
}


def make_results() -> None:
    """Create tasks and run every step of them; leaves one result message for each."""
    wide = shape("wide", {f"step_{n}": [] for n in range(STEPS)})
    for number in range(TASKS):
        ticks.start(wide, {"number": number})
        report_steps([ticks.success(each) for each in ticks.claim(limit=STEPS)])


def waiting_results() -> int:
    return pgmq.metrics(RESULTS_QUEUE).depth


def results_pool() -> dict[str, Any]:
    row = TaskerProcess.objects.get(kind="orchestrator", status="running")
    pool: dict[str, Any] = row.report["executor_pools"]["results"]
    return pool


@pytest.mark.timeout(240)
def test_an_orchestrator_grows_with_its_results_stops_in_order_and_comes_back(
    processes: Processes,
):
    make_results()
    assert waiting_results() == TASKS * STEPS
    cluster = Cluster(processes)
    small_batches = {**QUICK, "TASKER_RESULT_BATCH_COUNT": "2"}

    first = cluster.orchestrator(**small_batches)
    first.says("pool.scaled pool=results size_before=2 size=3", within=30)
    left = waiting_results()
    first.send(signal.SIGTERM)

    assert first.ends() == 0, first.output
    assert left > 0
    done = WorkflowStep.objects.filter(state="complete").count()
    assert done > 0
    assert done + waiting_results() == TASKS * STEPS
    assert_invariants()

    cluster.orchestrator(**small_batches)
    cluster.waits(lambda: not Task.objects.exclude(state="complete").exists(), within=150)
    cluster.waits(lambda: results_pool()["size"] == 2, within=30)
    assert WorkflowStep.objects.filter(state="complete").count() == TASKS * STEPS
    assert waiting_results() == 0
    assert_invariants()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def info(port: int) -> dict[str, Any]:
    """Return what a process says about itself on its status server."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/detailed", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)["info"]
    return found


def test_an_orchestrator_shows_its_pools(processes: Processes):
    port = free_port()
    limits = ("--pool", "results=3-7", "--pool", "discovery=1")

    processes.start("run_orchestrator", "--http-port", str(port), *limits, **QUICK).says("started")

    pools = info(port)["executor_pools"]
    assert {name: (each["min"], each["max"], each["size"]) for name, each in pools.items()} == {
        "results": (3, 7, 3),
        "requests": (1, 5, 1),
        "discovery": (1, 1, 1),
    }
    assert pools["results"].keys() == {"min", "max", "size", "busy", "utilization"}


def test_the_slots_of_a_worker_follow_its_work(processes: Processes, tmp_path: Path):
    gate = tmp_path / "gate"
    gate.mkdir()
    port = free_port()
    wait = {f"step_{n}": {"handler": {"callable": "test.wait"}} for n in range(7)}
    created = ticks.start(
        shape("wide", {name: [] for name in wait}, steps=wait), {"gate": str(gate)}
    )
    cluster = Cluster(processes)
    worker = cluster.worker("test", "--slots", "10", "--http-port", str(port), **QUICK)

    cluster.waits(lambda: len(list(gate.glob("step_*"))) == 7)
    cluster.waits(lambda: _row().running == 7)
    grown = _row()
    shown = info(port)["slots"]
    (gate / "go").touch()
    cluster.waits(lambda: _row().slots == 2, within=20)
    worker.send(signal.SIGTERM)

    assert grown.slots == 8
    assert grown.report["slots"] == {"min": 2, "max": 10, "size": 8, "busy": 7}
    assert shown == grown.report["slots"]
    assert worker.ends() == 0
    assert worker.output.count("pool.scaled pool=handlers size_before=2 size=4") == 1
    reported = WorkflowStep.objects.filter(task_id=created.task_uuid)
    assert {step.state for step in reported} == {"complete"}


def test_no_claim_is_lost_when_a_worker_stops_at_its_greatest_size(
    processes: Processes, tmp_path: Path
):
    gate = tmp_path / "gate"
    gate.mkdir()
    wait = {f"step_{n}": {"handler": {"callable": "test.wait"}} for n in range(12)}
    ticks.start(shape("wide", {name: [] for name in wait}, steps=wait), {"gate": str(gate)})
    cluster = Cluster(processes)
    worker = cluster.worker(**QUICK)
    cluster.waits(lambda: WorkflowStep.objects.filter(state="in_progress").count() == 10)

    worker.send(signal.SIGTERM)
    worker.says("process.stopping")
    (gate / "go").touch()

    assert worker.ends() == 0
    assert WorkflowStep.objects.filter(state="complete").count() == 10
    assert WorkflowStep.objects.filter(state="enqueued").count() == 2
    assert_invariants()


def _row() -> TaskerProcess:
    return TaskerProcess.objects.get(kind="worker")
