"""`run_worker --processes N`: workers that share nothing, under a parent that does nothing."""

import json
import os
import signal
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from orchestration.client import create_task
from orchestration.models import StepTransition, TaskerProcess, WorkflowStep
from templates_registry import registry
from tests.processes import ManageProcess, Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

NAMESPACE = "worker_process"
SOON = 20.0
DONE = {"enqueued_for_orchestration", "complete"}  # reported, or gone on with the report
Start = Callable[..., ManageProcess]


def make_task(folder: Path, *, handler: str = "wait", steps: int = 4) -> UUID:
    """Register a template of independent steps and create a task of it."""
    each = {"handler": {"callable": f"{NAMESPACE}.{handler}"}, "timeout_seconds": 60}
    template = {
        "name": "work",
        "namespace_name": NAMESPACE,
        "version": "1.0.0",
        "steps": [{"name": f"step_{number}", **each} for number in range(1, steps + 1)],
    }
    registry.register(registry.load_text(json.dumps(template)))
    return create_task("work", namespace=NAMESPACE, context={"folder": str(folder)}).task_uuid


def states(task: UUID) -> list[str]:
    rows = WorkflowStep.objects.filter(task_id=task).order_by("name")
    return list(rows.values_list("state", flat=True))


def workers(**said: object) -> dict[str, TaskerProcess]:
    """Return the rows of workers by name; of a name with several, the one that started last."""
    rows = TaskerProcess.objects.filter(kind="worker", **said).order_by("started_at")
    return {row.name: row for row in rows}


@pytest.fixture
def start(processes: Processes) -> Start:
    """Start two workers under one parent, with our handlers and two slots each."""

    def start(*arguments: str, **environment: str) -> ManageProcess:
        port = () if "--http-port" in arguments else ("--http-port", "0")
        return processes.start(
            *("run_worker", NAMESPACE, "--processes", "2", "--slots", "2", "--worker-id", "w"),
            *("--no-sync", "--handlers", "tests.handlers.worker_process"),
            *(*port, *arguments),
            **{"TASKER_LOG_LEVEL": "INFO", "TASKER_SHUTDOWN_GRACE_SECONDS": "2", **environment},
        )

    return start


@pytest.fixture
def start_busy(start: Start, tmp_path: Path) -> Callable[..., tuple[ManageProcess, UUID]]:
    """Start two workers and wait until each of them runs two steps."""

    def start_busy(*arguments: str, **environment: str) -> tuple[ManageProcess, UUID]:
        task = make_task(tmp_path)
        parent = start(*arguments, **environment)
        try:
            wait_until(lambda: len(list(tmp_path.glob("step_*"))) == 4, SOON)
        except AssertionError:
            raise AssertionError(parent.output) from None
        return parent, task

    return start_busy


# ------------------------------------------------------------ work


def test_several_workers_are_seen_and_share_the_work(start_busy, tmp_path):
    parent, task = start_busy()

    running = workers(status="running")
    assert set(running) == {"w-1", "w-2"}
    assert len({row.worker_uuid for row in running.values()}) == 2
    assert parent.child.pid not in {row.pid for row in running.values()}
    claims = StepTransition.objects.filter(
        workflow_step__task_id=task, to_state="in_progress"
    ).values_list("worker_uuid", flat=True)
    assert Counter(claims) == {row.worker_uuid: 2 for row in running.values()}

    (tmp_path / "go").touch()
    wait_until(lambda: set(states(task)) <= DONE, SOON)


@pytest.mark.listens
def test_every_worker_holds_a_liveness_lock_of_its_own(start, tmp_path):
    make_task(tmp_path)
    start(TASKER_HEARTBEAT_SECONDS="1")

    wait_until(lambda: set(workers(has_liveness_lock=True)) == {"w-1", "w-2"}, SOON)


def test_once_works_off_what_is_there_and_ends(start, tmp_path):
    task = make_task(tmp_path, handler="quick", steps=9)

    parent = start("--once")

    assert parent.ends() == 0
    assert set(states(task)) <= DONE
    assert set(workers(status="stopped")) == {"w-1", "w-2"}


def test_the_number_may_be_a_setting(processes, tmp_path):
    task = make_task(tmp_path, handler="quick")

    parent = processes.start(
        *("run_worker", NAMESPACE, "--once", "--no-sync", "--http-port", "0"),
        *("--handlers", "tests.handlers.worker_process"),
        TASKER_WORKER_PROCESSES="3",
    )

    assert parent.ends() == 0
    assert len(workers(status="stopped")) == 3
    assert set(states(task)) <= DONE


def test_each_worker_answers_on_a_port_of_its_own(start, tmp_path, two_ports):
    make_task(tmp_path)
    start("--http-port", str(two_ports))
    wait_until(lambda: set(workers(status="running")) == {"w-1", "w-2"}, SOON)

    assert [worker_id(two_ports), worker_id(two_ports + 1)] == ["w-1", "w-2"]


def worker_id(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        return str(json.load(answer)["worker_id"])


@pytest.fixture
def two_ports() -> int:
    """Return the first of two free ports that stand beside each other."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            first = int(server.getsockname()[1])
            try:
                socket.create_server(("127.0.0.1", first + 1)).close()
            except (OSError, OverflowError):
                continue
            return first


# ------------------------------------------------------------ the end


@pytest.mark.parametrize("to_all", [False, True], ids=["to the parent", "to the whole group"])
def test_sigterm_lets_the_handlers_of_all_finish(start_busy, tmp_path, to_all):
    parent, task = start_busy("--grace-seconds", "30")

    if to_all:  # as a terminal and systemd do; it is one wish all the same
        os.killpg(parent.child.pid, signal.SIGTERM)
    else:
        parent.send(signal.SIGTERM)
    wait_until(lambda: set(workers(status="draining")) == {"w-1", "w-2"}, SOON)
    (tmp_path / "go").touch()

    assert parent.ends() == 0
    assert set(states(task)) <= DONE
    assert set(workers(status="stopped")) == {"w-1", "w-2"}


def test_a_second_signal_gives_back_at_once(start_busy):
    parent, task = start_busy("--grace-seconds", "60")
    parent.send(signal.SIGTERM)
    wait_until(lambda: set(workers(status="draining")) == {"w-1", "w-2"}, SOON)
    began = time.monotonic()

    parent.send(signal.SIGTERM)

    assert parent.ends() == 0
    assert time.monotonic() - began < 5
    assert states(task) == ["enqueued"] * 4


def test_workers_leave_when_their_parent_is_killed(start_busy):
    parent, task = start_busy("--grace-seconds", "0.5")
    pids = [row.pid for row in workers().values()]

    parent.kill()

    wait_until(lambda: set(workers(status="stopped")) == {"w-1", "w-2"}, SOON)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), SOON)
    assert states(task) == ["enqueued"] * 4
    assert parent.output.count("process.parent_gone") == 2


# ------------------------------------------------------------ what dies


@pytest.mark.listens
def test_a_killed_worker_is_replaced_and_its_steps_run_again(start_busy, processes, tmp_path):
    parent, task = start_busy(TASKER_HEARTBEAT_SECONDS="1")
    wait_until(lambda: set(workers(has_liveness_lock=True)) == {"w-1", "w-2"}, SOON)
    before = workers()
    processes.start("run_orchestrator", "--http-port", "0")

    os.kill(before["w-1"].pid, signal.SIGKILL)

    # the steps of the other one still run and hold its slots: only an heir can take these
    wait_until(lambda: len(list(tmp_path.glob("step_*.2"))) == 2, SOON)
    heir = workers()["w-1"]
    assert heir.worker_uuid != before["w-1"].worker_uuid
    assert heir.pid != before["w-1"].pid
    assert workers()["w-2"].pid == before["w-2"].pid
    (tmp_path / "go").touch()
    wait_until(lambda: states(task) == ["complete"] * 4, SOON)
    assert parent.output.count("replica.died") == 1


def test_bad_configuration_ends_all_with_its_code_and_starts_nothing_again(processes):
    parent = processes.start(
        *("run_worker", "no_such_namespace", "--processes", "2", "--http-port", "0", "--no-sync"),
        TASKER_LOG_LEVEL="INFO",
    )

    assert parent.ends() == 2
    assert "no_such_namespace" in parent.output
    assert "replica.died" not in parent.output
    assert parent.output.count("replica.started") == 2
    assert not TaskerProcess.objects.exists()


def test_a_taken_port_ends_all_with_2(start, tmp_path, two_ports):
    make_task(tmp_path)
    with socket.create_server(("127.0.0.1", two_ports + 1)):
        parent = start("--http-port", str(two_ports))

        assert parent.ends() == 2
    assert f"port {two_ports + 1}" in parent.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--processes", "0"), "0 is not a number from 1 to 64"),
        (("--http-port", "65535"), "There are no 2 ports from 65535 on"),
    ],
)
def test_bad_options_end_with_2(start, arguments, words):
    parent = start(*arguments)

    assert parent.ends() == 2
    assert words in parent.output
