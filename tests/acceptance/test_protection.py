"""Real processes while a queue cannot be read: they pause, say so, and go on; none of them dies."""

import json
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest
from django.db import connections

from orchestration.models import Task
from orchestration.testing import linear
from tests.clusters import Cluster
from tests.factories import ticks
from tests.processes import Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

IMPATIENT = {
    "TASKER_ENGINE_STATEMENT_TIMEOUT_MS": "400",
    "TASKER_LOCK_TIMEOUT_MS": "60000",
    "TASKER_BREAKER_MESSAGING": "2,60,3,1",
}


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
        return number


def health(port: int, path: str = "/health/detailed") -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        found = json.load(error)
    return found


def status_of(port: int, check: str) -> Any:
    return health(port)["checks"][check]["status"]


def breaker_of(port: int) -> Any:
    return health(port)["info"]["circuit_breaker_state"]["messaging"]


def test_claims_stop_while_the_queue_cannot_be_read_and_go_on_afterwards(
    processes: Processes, port: int
):
    cluster = Cluster(processes)
    template = cluster.register(linear(1))
    cluster.orchestrator()
    worker = cluster.worker("test", "--http-port", str(port), **IMPATIENT)
    wait_until(lambda: status_of(port, "circuit_breaker") == "healthy", 10)
    held = connections["default"].copy()
    held.set_autocommit(False)
    try:
        with held.cursor() as cursor:
            cursor.execute("LOCK TABLE pgmq.q_worker_test_queue IN ACCESS EXCLUSIVE MODE")
        wait_until(lambda: breaker_of(port) == "open", 20)
        wait_until(lambda: status_of(port, "circuit_breaker") == "unhealthy", 10)
        wait_until(lambda: status_of(port, "loops") == "degraded", 10)
        assert health(port, "/health/ready")["status"] == "ready"
    finally:
        held.rollback()
        held.close()

    created = ticks.start(template)

    cluster.reaches([created.task_uuid], ["complete"], within=20)
    wait_until(lambda: breaker_of(port) == "closed", 10)
    assert worker.child.poll() is None
    assert worker.output.count("breaker.opened") >= 1


def test_processes_show_the_checks_of_the_table(processes: Processes, port: int):
    cluster = Cluster(processes)
    cluster.register(linear(1))
    with socket.create_server(("127.0.0.1", 0)) as server:
        other: int = server.getsockname()[1]
    cluster.orchestrator("--http-port", str(port))
    cluster.worker("test", "--http-port", str(other))
    created = ticks.start(linear(1))
    cluster.reaches([created.task_uuid], ["complete"], within=20)

    wait_until(lambda: health(port)["status"] == "healthy", 20)
    wait_until(lambda: health(other)["status"] == "healthy", 20)
    orchestrator, worker = health(port), health(other)

    assert set(orchestrator["checks"]) == {
        "database",
        "orchestration_database",
        "circuit_breaker",
        "command_processor",
        "pool_utilization",
        "queue_depth",
        "channel_saturation",
        "listener",
        "loops",
    }
    assert set(orchestrator["info"]["executor_pools"]) == {"results", "requests", "discovery"}
    assert set(orchestrator["info"]["circuit_breaker_state"]) == {"messaging", "task_readiness"}
    assert set(worker["checks"]) == {
        "database",
        "circuit_breaker",
        "pool_utilization",
        "listener",
        "loops",
        "handlers",
        "templates",
        "queue_processing",
        "stuck_handlers",
    }
    assert {
        "worker_id",
        "namespaces",
        "slots",
        "steps_processed",
        "steps_succeeded",
        "steps_failed",
        "average_execution_ms",
        "last_step_at",
        "handlers",
    } <= set(worker["info"])
    assert worker["info"]["steps_succeeded"] == 1
    assert worker["info"]["average_execution_ms"] > 0
    assert worker["info"]["last_step_at"] is not None
    assert "test.echo" in worker["info"]["handlers"]
    assert Task.objects.get(pk=created.task_uuid).state == "complete"
