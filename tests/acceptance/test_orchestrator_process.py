"""The orchestrator as a process, alone and with workers: modes, outages, crashes."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections

from orchestration.client import create_task, request_task
from orchestration.models import StepTransition, Task, TaskerProcess, WorkflowStep
from templates_registry import registry
from tests.forwarder import Forwarder
from tests.processes import ManageProcess, Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

NAMESPACE = "orchestrator_process"
SOON = 15.0


def register(*handlers: str) -> None:
    """Register a chain of steps, one for each handler."""
    steps = []
    for number, handler in enumerate(handlers, start=1):
        step = {"name": f"step_{number}", "handler": {"callable": f"worker_process.{handler}"}}
        if number > 1:
            step["dependencies"] = [f"step_{number - 1}"]
        steps.append(step)
    template = {
        "name": "chain",
        "namespace_name": NAMESPACE,
        "version": "1.0.0",
        "steps": steps,
    }
    registry.register(registry.load_text(json.dumps(template)))


def create(folder: Path) -> UUID:
    return create_task("chain", namespace=NAMESPACE, context={"folder": str(folder)}).task_uuid


def is_complete(task_uuid: UUID) -> bool:
    return Task.objects.get(pk=task_uuid).state == "complete"


class Pair:
    """An orchestrator and workers of our namespace."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    def orchestrator(self, *arguments: str, **environment: str) -> ManageProcess:
        return self._processes.start(
            "run_orchestrator", "--http-port", "0", *arguments, **_verbose(environment)
        )

    def worker(self, *arguments: str, **environment: str) -> ManageProcess:
        options = ("--http-port", "0", "--no-sync", "--handlers", "tests.handlers.worker_process")
        return self._processes.start(
            "run_worker", NAMESPACE, *options, *arguments, **_verbose(environment)
        )


def _verbose(environment: dict[str, str]) -> dict[str, str]:
    return {"TASKER_LOG_LEVEL": "INFO", "TASKER_SHUTDOWN_GRACE_SECONDS": "2", **environment}


@pytest.fixture
def start(processes: Processes) -> Pair:
    return Pair(processes)


@pytest.fixture
def door() -> Iterator[Forwarder]:
    forwarder = Forwarder()
    yield forwarder
    forwarder.close()


@pytest.mark.parametrize("modes", [("Hybrid",) * 2, ("EventDrivenOnly",) * 2, ("PollingOnly",) * 2])
def test_a_chain_completes_in_each_mode(start, tmp_path, modes):
    register("quick", "quick", "quick", "quick")
    polls = {"TASKER_ORCHESTRATOR_POLL_MS": "60000", "TASKER_WORKER_POLL_MS": "60000"}
    start.orchestrator("--mode", modes[0], **polls).says("process.started")
    start.worker("--mode", modes[1], **polls).says("process.started")

    task = create(tmp_path)

    # Four steps, eight polls of 0.25 s at most in PollingOnly; notifications need no poll at all.
    wait_until(lambda: is_complete(task), 4 if modes[0] == "PollingOnly" else 1)


def test_once_works_off_requests_and_ends(start, tmp_path):
    register("quick")
    request_task("chain", namespace=NAMESPACE, context={"folder": str(tmp_path)})

    orchestrator = start.orchestrator("--once")

    assert orchestrator.ends() == 0
    assert WorkflowStep.objects.get().state == "enqueued"


def test_it_registers_beats_and_leaves(start):
    orchestrator = start.orchestrator(TASKER_HEARTBEAT_SECONDS="1")
    orchestrator.says("process.started")
    first = TaskerProcess.objects.get(kind="orchestrator")
    wait_until(
        lambda: TaskerProcess.objects.get().last_heartbeat_at > first.last_heartbeat_at, SOON
    )

    orchestrator.send(signal.SIGTERM)

    assert orchestrator.ends() == 0
    assert TaskerProcess.objects.get().status == "stopped"


def test_an_outage_under_load_loses_nothing(door, start, tmp_path):
    register("quick", "quick", "quick")
    door.open()
    orchestrator = start.orchestrator(DATABASE_URL=door.url)
    orchestrator.says("process.started")
    start.worker(DATABASE_URL=door.url).says("process.started")
    tasks = [create(tmp_path) for _ in range(10)]

    door.shut()
    orchestrator.says("database.lost")
    door.open()

    wait_until(lambda: all(map(is_complete, tasks)), 40)


@pytest.mark.listens
def test_a_killed_worker_is_replaced_within_seconds(start, tmp_path):
    """X4: by the liveness lock, long before its lease ends."""
    register("wait")
    start.orchestrator()
    victim = start.worker(TASKER_LEASE_SECONDS="60", TASKER_HEARTBEAT_SECONDS="1")
    task = create(tmp_path)
    wait_until(lambda: (tmp_path / "step_1.1").exists(), SOON)
    wait_until(lambda: TaskerProcess.objects.get(kind="worker").has_liveness_lock, SOON)
    start.worker("--worker-id", "heir").says("process.started")

    victim.kill()

    wait_until(lambda: (tmp_path / "step_1.2").exists(), 6)
    (tmp_path / "go").touch()
    wait_until(lambda: is_complete(task), SOON)
    step = WorkflowStep.objects.get(task_id=task)
    assert step.attempts == 2
    moves = StepTransition.objects.filter(workflow_step=step).order_by("sort_key")
    assert list(moves.values_list("to_state", flat=True)) == [
        "pending",
        "enqueued",
        "in_progress",
        "enqueued",
        "in_progress",
        "enqueued_for_orchestration",
        "complete",
    ]


@pytest.mark.listens
def test_a_listener_without_its_channels_ends_with_2(start):
    """A direct connection to another database: as quiet as a transaction pooler."""
    elsewhere = connections["default"].settings_dict
    user = f"{elsewhere['USER']}:{elsewhere['PASSWORD']}@" if elsewhere["USER"] else ""
    host, port = elsewhere["HOST"] or "localhost", elsewhere["PORT"] or 5432
    address = f"postgresql://{user}/postgres?host={host}&port={port}"

    orchestrator = start.orchestrator(DATABASE_DIRECT_URL=address)

    assert orchestrator.ends() == 2
    assert "DATABASE_DIRECT_URL" in orchestrator.output
    assert "PollingOnly" in orchestrator.output
