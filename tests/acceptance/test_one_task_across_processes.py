"""One task through web, orchestrator and worker: its log lines, and what each process counts."""

import json
import socket
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from orchestration.models import Task
from orchestration.testing import linear
from tests.clusters import Cluster
from tests.processes import ManageProcess, Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

LOGS = {"TASKER_LOG_FORMAT": "json", "TASKER_LOG_LEVEL": "INFO"}
REQUEST_ID = "the-request-of-this-test"


class Stack(NamedTuple):
    """The three kinds of process, each with its port."""

    web: tuple[ManageProcess, int]
    orchestrator: tuple[ManageProcess, int]
    worker: tuple[ManageProcess, int]


@pytest.fixture(params=["false"])
def stack(processes: Processes, request: pytest.FixtureRequest) -> Stack:
    """Start one of each; by message, so that the orchestrator has a part in it."""
    goes_on = {"TASKER_INLINE_ADVANCE": request.param}
    cluster = Cluster(processes)
    cluster.register(linear(2))
    web, orchestrator, worker = _free_ports(3)
    server = processes.start("runserver", f"127.0.0.1:{web}", "--noreload", **LOGS)
    found = Stack(
        web=(server, web),
        orchestrator=(
            cluster.orchestrator("--http-port", str(orchestrator), **LOGS),
            orchestrator,
        ),
        worker=(cluster.worker("test", "--http-port", str(worker), **LOGS, **goes_on), worker),
    )
    wait_until(lambda: _answers(web), within=30)
    return found


def _free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def _answers(port: int) -> bool:
    try:
        ask(port, "/health")
    except OSError:
        return False
    return True


def ask(port: int, path: str, body: Any = None, headers: Mapping[str, str] = {}) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own process
        return str(answer.read().decode())


def lines_about(process: ManageProcess, correlation_id: str) -> dict[str, dict[str, Any]]:
    """Return the log lines of a process that carry the id, the last one of each event."""
    found = {}
    for text in process.output.splitlines():
        if correlation_id in text and text.startswith("{"):
            line = json.loads(text)
            assert line["correlation_id"] == correlation_id
            found[line["event"]] = line
    return found


def test_one_correlation_id_shows_a_task_in_all_processes(stack: Stack):
    correlation_id = str(uuid4())
    wanted = {"name": "linear_2", "namespace": "test", "correlation_id": correlation_id}

    created = json.loads(ask(stack.web[1], "/v1/tasks", wanted, {"X-Request-ID": REQUEST_ID}))

    task = created["task_uuid"]
    wait_until(lambda: Task.objects.filter(pk=task, state="complete").exists(), within=30)
    orchestrator, worker = stack.orchestrator[0], stack.worker[0]
    wait_until(lambda: "task.completed" in lines_about(orchestrator, correlation_id), within=10)
    wait_until(lambda: "step.succeeded" in lines_about(worker, correlation_id), within=10)
    by_web = lines_about(stack.web[0], correlation_id)
    by_orchestrator = lines_about(orchestrator, correlation_id)
    by_worker = lines_about(worker, correlation_id)
    assert {"task.created", "step.enqueued"} <= set(by_web)
    assert {"step.completed", "step.enqueued", "task.completed"} <= set(by_orchestrator)
    assert {"step.claimed", "step.succeeded"} <= set(by_worker)
    assert by_web["task.created"]["request_id"] == REQUEST_ID
    for line in (*by_web.values(), *by_orchestrator.values(), *by_worker.values()):
        assert (line["task_uuid"], line["namespace"]) == (task, "test"), line
    assert (by_worker["step.claimed"]["step"], by_worker["step.claimed"]["attempt"]) == (
        "step_2",
        1,
    )
    assert by_worker["step.claimed"]["process_kind"] == "worker"
    assert by_orchestrator["task.completed"]["process_kind"] == "orchestrator"

    _the_processes_count_it(stack)
    _the_status_servers_tell(stack)


@pytest.mark.parametrize("stack", ["true"], indirect=True)
def test_a_task_that_goes_on_with_its_reports_is_told_by_the_worker(stack: Stack):
    wanted = {"name": "linear_2", "namespace": "test", "correlation_id": str(uuid4())}

    created = json.loads(ask(stack.web[1], "/v1/tasks", wanted))

    worker, port = stack.worker
    found = lambda: lines_about(worker, wanted["correlation_id"])  # noqa: E731
    wait_until(lambda: "task.completed" in found(), within=30)
    assert found()["task.completed"]["task_uuid"] == created["task_uuid"]
    counted = ask(port, "/metrics")
    assert 'tasker_tasks_completions_total{namespace="test",task="linear_2"} 1.0' in counted
    assert 'tasker_steps_enqueued_total{namespace="test"} 1.0' in counted


def _the_processes_count_it(stack: Stack) -> None:
    """What each process has counted is on its own /metrics."""
    task = 'namespace="test",outcome="created",task="linear_2"'
    assert f"tasker_tasks_requests_total{{{task}}} 1.0" in ask(stack.web[1], "/metrics")
    done = 'tasker_tasks_completions_total{namespace="test",task="linear_2"} 1.0'
    by_orchestrator = ask(stack.orchestrator[1], "/metrics")
    assert done in by_orchestrator
    assert 'tasker_processes_live{kind="worker"} 1.0' in by_orchestrator
    assert 'tasker_executor_pool_size{pool="results"}' in by_orchestrator
    by_worker = ask(stack.worker[1], "/metrics")
    assert 'tasker_steps_successes_total{namespace="test",step="step_2"} 1.0' in by_worker
    assert 'tasker_event_listener_active{mode="Hybrid"} 1.0' in by_worker
    assert 'tasker_process_info{kind="worker",' in by_worker


def _the_status_servers_tell(stack: Stack) -> None:
    """A worker tells which templates it serves, with the state of their handlers."""
    found = json.loads(ask(stack.worker[1], "/v1/templates"))
    assert [each["name"] for each in found["templates"]] == ["linear_2"]
    detail = json.loads(ask(stack.worker[1], "/v1/templates/test/linear_2/1.0.0"))
    assert detail["handlers"][0]["resolved"] is True
    for port in (stack.orchestrator[1], stack.worker[1]):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(port, "/config")
