"""The worker as a process: what it claims, how it ends, what it does when things are missing."""

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from orchestration.client import cancel_task, create_task
from orchestration.models import TaskerProcess, WorkflowStep
from templates_registry import registry
from tests.forwarder import Forwarder
from tests.processes import ManageProcess, Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

HANDLERS = "tests.handlers.worker_process"
SOON = 15.0
REPORTED = ("complete", "enqueued_as_error_for_orchestration")


def register(
    handler: str, *, steps: int = 1, namespace: str = "worker_process", timeout_seconds: int = 60
) -> None:
    """Register a template of independent steps that run one of our handlers."""
    template = {
        "name": "work",
        "namespace_name": namespace,
        "version": "1.0.0",
        "steps": [
            {
                "name": f"step_{number}",
                "handler": {"callable": f"worker_process.{handler}"},
                "timeout_seconds": timeout_seconds,
            }
            for number in range(1, steps + 1)
        ],
    }
    registry.register(registry.load_text(json.dumps(template)))


def create(folder: Path, *, namespace: str = "worker_process") -> UUID:
    return create_task("work", namespace=namespace, context={"folder": str(folder)}).task_uuid


def states(task_uuid: UUID) -> list[str]:
    rows = WorkflowStep.objects.filter(task_id=task_uuid).order_by("name")
    return list(rows.values_list("state", flat=True))


def only_step(task_uuid: UUID) -> WorkflowStep:
    return WorkflowStep.objects.get(task_id=task_uuid)


def worker_row() -> TaskerProcess:
    return TaskerProcess.objects.get(kind="worker")


@pytest.fixture
def start_worker(processes: Processes) -> Callable[..., ManageProcess]:
    """Start `run_worker` with our handlers; keywords are environment variables."""

    def start(*arguments: str, **environment: str) -> ManageProcess:
        defaults = ("--no-sync", "--handlers", HANDLERS)
        port = () if "--http-port" in arguments else ("--http-port", "0")
        return processes.start(
            "run_worker",
            *defaults,
            *port,
            *arguments,
            **{"TASKER_LOG_LEVEL": "INFO", "TASKER_SHUTDOWN_GRACE_SECONDS": "2", **environment},
        )

    return start


@pytest.fixture
def door() -> Iterator[Forwarder]:
    forwarder = Forwarder()
    yield forwarder
    forwarder.close()


# ---------------------------------------------------------------- work


def test_once_works_off_what_is_there_and_ends(start_worker, tmp_path):
    register("quick", steps=5)
    task = create(tmp_path)

    worker = start_worker("worker_process", "--once", "--slots", "2")

    assert worker.ends() == 0
    assert states(task) == ["complete"] * 5
    assert worker_row().status == "stopped"


@pytest.mark.parametrize("mode", ["Hybrid", "EventDrivenOnly", "PollingOnly"])
def test_a_waiting_worker_takes_new_work_at_once_in_every_mode(start_worker, tmp_path, mode):
    register("quick")
    start_worker("worker_process", "--mode", mode, TASKER_WORKER_POLL_MS="60000").says(
        "process.started"
    )
    began = time.monotonic()

    task = create(tmp_path)

    wait_until(lambda: states(task) == ["complete"], 5)
    assert time.monotonic() - began < 1


def test_never_more_claims_than_slots(start_worker, tmp_path):
    register("wait", steps=5)
    task = create(tmp_path)
    start_worker("worker_process", "--slots", "2")

    wait_until(lambda: len(list(tmp_path.glob("step_*"))) == 2, SOON)
    time.sleep(0.3)  # the time in which a third claim would come

    assert sorted(states(task)) == ["enqueued"] * 3 + ["in_progress"] * 2
    assert worker_row().slots == 2

    (tmp_path / "go").touch()
    wait_until(lambda: states(task) == ["complete"] * 5, SOON)


def test_namespaces_take_turns(start_worker, tmp_path):
    for namespace in ("busy", "calm"):
        (tmp_path / namespace).mkdir()
        register("wait", steps=6, namespace=namespace)
    tasks = {name: create(tmp_path / name, namespace=name) for name in ("busy", "calm")}

    start_worker("busy", "calm", "--slots", "4")

    wait_until(lambda: all(states(task).count("in_progress") == 2 for task in tasks.values()), SOON)


def test_without_a_namespace_those_with_all_their_handlers_are_served(start_worker, tmp_path):
    register("quick", namespace="complete")
    register("missing", namespace="lacking")
    served = create(tmp_path, namespace="complete")
    unserved = create(tmp_path, namespace="lacking")

    worker = start_worker("--once")

    assert worker.ends() == 0
    assert states(served) == ["complete"]
    assert states(unserved) == ["enqueued"]
    assert "namespace.not_served namespace=lacking" in worker.output
    assert worker_row().namespaces == ["complete"]


def test_handlers_have_no_statement_limit_and_the_worker_has(start_worker, tmp_path):
    register("statement_limit", steps=3)
    task = create(tmp_path)

    start_worker("worker_process", "--once", "--slots", "1").ends()

    results = WorkflowStep.objects.filter(task_id=task).values_list("results", flat=True)
    assert [found["result"]["limit"] for found in results if found] == ["0"] * 3


# ---------------------------------------------------------------- leases


@pytest.mark.listens
def test_heartbeats_prolong_the_lease_and_keep_the_row_fresh(start_worker, tmp_path):
    register("wait")
    task = create(tmp_path)
    start_worker("worker_process", TASKER_HEARTBEAT_SECONDS="1")
    wait_until(lambda: states(task) == ["in_progress"], SOON)
    lease, beat = only_step(task).lease_until, worker_row().last_heartbeat_at

    assert lease
    wait_until(lambda: (only_step(task).lease_until or lease) > lease, 5)

    wait_until(lambda: worker_row().last_heartbeat_at > beat, 5)
    wait_until(lambda: worker_row().has_liveness_lock, 5)
    assert worker_row().running == 1


def test_a_cancelled_task_is_noticed_by_the_handler_and_its_result_dropped(start_worker, tmp_path):
    register("wait")
    task = create(tmp_path)
    worker = start_worker("worker_process", TASKER_HEARTBEAT_SECONDS="1")
    wait_until(lambda: states(task) == ["in_progress"], SOON)

    cancel_task(task, actor="tester", reason="changed my mind")

    wait_until(lambda: (tmp_path / "cancelled").exists(), 5)
    worker.says("lease.expired")
    assert states(task) == ["cancelled"]


def test_a_late_result_is_logged_and_dropped(start_worker, tmp_path):
    register("wait")
    task = create(tmp_path)
    worker = start_worker(
        "worker_process", TASKER_LEASE_SECONDS="60", TASKER_HEARTBEAT_SECONDS="20"
    )
    wait_until(lambda: states(task) == ["in_progress"], SOON)
    cancel_task(task, actor="tester")

    (tmp_path / "go").touch()

    worker.says("step.report_stale")
    assert states(task) == ["cancelled"]


def test_a_worker_taken_for_lost_registers_anew(start_worker):
    register("quick")
    worker = start_worker("worker_process", TASKER_HEARTBEAT_SECONDS="1")
    worker.says("process.started")

    TaskerProcess.objects.filter(kind="worker").update(status="lost")

    wait_until(lambda: worker_row().status == "running", 5)
    worker.says("worker.lost")


# ---------------------------------------------------------------- the end


def test_sigterm_lets_handlers_finish(start_worker, tmp_path):
    register("wait", steps=3)
    task = create(tmp_path)
    worker = start_worker("worker_process", "--slots", "1", "--grace-seconds", "30")
    wait_until(lambda: states(task).count("in_progress") == 1, SOON)

    worker.send(signal.SIGTERM)
    wait_until(lambda: worker_row().status == "draining", 5)
    (tmp_path / "go").touch()

    assert worker.ends() == 0
    assert sorted(states(task)) == ["complete"] + ["enqueued"] * 2
    assert worker_row().status == "stopped"


def test_a_handler_longer_than_the_grace_is_given_back(start_worker, tmp_path):
    register("wait")
    task = create(tmp_path)
    worker = start_worker("worker_process", "--grace-seconds", "0.5")
    wait_until(lambda: states(task) == ["in_progress"], SOON)

    worker.send(signal.SIGTERM)

    assert worker.ends() == 0
    step = only_step(task)
    assert (step.state, step.claimed_by, step.lease_until) == ("enqueued", None, None)


def test_given_back_work_is_taken_by_the_next_worker(start_worker, tmp_path):
    register("wait")
    task = create(tmp_path)
    first = start_worker("worker_process", "--grace-seconds", "0")
    wait_until(lambda: states(task) == ["in_progress"], SOON)
    first.send(signal.SIGTERM)
    assert first.ends() == 0
    (tmp_path / "go").touch()

    start_worker("worker_process")

    wait_until(lambda: states(task) == ["complete"], SOON)


def test_a_second_signal_gives_back_at_once(start_worker, tmp_path):
    register("wait")
    task = create(tmp_path)
    worker = start_worker("worker_process", "--grace-seconds", "60")
    wait_until(lambda: states(task) == ["in_progress"], SOON)
    worker.send(signal.SIGTERM)
    wait_until(lambda: worker_row().status == "draining", 5)
    began = time.monotonic()

    worker.send(signal.SIGTERM)

    assert worker.ends() == 0
    assert time.monotonic() - began < 3
    assert states(task) == ["enqueued"]


def test_handlers_that_ignore_their_timeout_end_the_worker_with_code_1(start_worker, tmp_path):
    register("stubborn", timeout_seconds=1)
    task = create(tmp_path)

    worker = start_worker("worker_process", "--slots", "2", TASKER_TIMEOUT_GRACE_SECONDS="0")

    assert worker.ends() == 1
    assert "worker.stuck" in worker.output
    step = only_step(task)
    assert step.state == "enqueued_as_error_for_orchestration", worker.output
    assert step.results
    assert step.results["metadata"]["error_type"] == "timeout"


# ---------------------------------------------------------------- what is missing


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no_such_namespace",), "no_such_namespace"),
        (("lacking",), "worker_process.missing"),
        ((), "There is nothing to serve"),
        (("lacking", "--handlers", "no.such.module"), "no.such.module"),
    ],
)
def test_a_worker_that_cannot_serve_says_why_and_ends_with_2(start_worker, arguments, words):
    register("missing", namespace="lacking")

    worker = start_worker(*arguments)

    assert worker.ends() == 2
    assert words in worker.output
    assert not TaskerProcess.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [("--slots", "0"), ("--slots", "9-3"), ("--mode", "Sometimes"), ("--http-port", "x")],
)
def test_bad_options_end_with_2(start_worker, arguments):
    assert start_worker(*arguments).ends() == 2


def test_a_bad_setting_ends_with_2_and_is_named(start_worker):
    worker = start_worker("worker_process", TASKER_LEASE_SECONDS="soon")

    assert worker.ends() == 2
    assert "LEASE_SECONDS" in worker.output


def test_started_without_a_database_it_waits_and_then_works(door, start_worker, tmp_path):
    register("quick")
    task = create(tmp_path)
    worker = start_worker("worker_process", DATABASE_URL=door.url)
    worker.says("database.lost")
    wait_until(lambda: worker.output.count("database.lost") >= 2, SOON)

    door.open()

    wait_until(lambda: states(task) == ["complete"], SOON)
    worker.says("database.recovered")


def test_asked_to_stop_while_it_waits_for_a_database_it_ends_with_0(door, start_worker):
    worker = start_worker("worker_process", DATABASE_URL=door.url)
    worker.says("database.lost")

    worker.send(signal.SIGTERM)

    assert worker.ends() == 0


def test_a_database_lost_under_way_keeps_results_until_it_is_back(door, start_worker, tmp_path):
    register("wait", steps=2)
    task = create(tmp_path)
    door.open()
    worker = start_worker("worker_process", "--slots", "1", DATABASE_URL=door.url)
    wait_until(lambda: states(task).count("in_progress") == 1, SOON)

    door.shut()
    (tmp_path / "go").touch()
    worker.says("database.lost loop=reports")
    assert states(task).count("in_progress") == 1
    door.open()

    wait_until(lambda: states(task) == ["complete"] * 2, 30)
    worker.says("listener.reconnected")
    assert only_one_attempt_each(task)


def only_one_attempt_each(task: UUID) -> bool:
    attempts = WorkflowStep.objects.filter(task_id=task).values_list("attempts", flat=True)
    return set(attempts) == {1}


# ---------------------------------------------------------------- to be seen from outside


def fetch(port: int, path: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.listens
def test_probes_follow_the_life_of_the_worker(start_worker, tmp_path, free_port):
    register("wait")
    task = create(tmp_path)
    worker = start_worker("worker_process", "--worker-id", "w-1", "--http-port", str(free_port))
    worker.says("process.started")
    wait_until(lambda: states(task) == ["in_progress"], SOON)

    status, ready = fetch(free_port, "/health/ready")
    assert (status, ready["status"]) == (200, "ready")
    assert {"database", "handlers", "loops", "stuck_handlers", "listener"} <= set(ready["checks"])
    assert ready["info"]["slots"]["busy"] == 1
    assert fetch(free_port, "/health")[1]["worker_id"] == "w-1"

    worker.send(signal.SIGTERM)
    wait_until(lambda: fetch(free_port, "/health/ready")[0] == 503, 5)
    assert fetch(free_port, "/health/live")[0] == 200


def test_a_taken_port_ends_with_2(start_worker, free_port):
    register("quick")
    start_worker("worker_process", "--http-port", str(free_port)).says("process.started")

    second = start_worker("worker_process", "--http-port", str(free_port))

    assert second.ends() == 2
    assert f"port {free_port}" in second.output


def test_sigusr1_logs_one_status_line(start_worker):
    register("quick")
    worker = start_worker("worker_process")
    worker.says("process.started")

    worker.send(signal.SIGUSR1)

    worker.says("process.status")
    assert worker.output.count("process.status") == 1


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
