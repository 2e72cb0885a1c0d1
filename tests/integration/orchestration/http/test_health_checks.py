"""Every check of api-and-operations 5.2 in each of its states, made for real where that can be."""

import json
import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client

from orchestration import health
from orchestration.client import create_task, request_task
from orchestration.health.database import PoolCheck
from orchestration.health.engine import engine_checks
from orchestration.models import TaskerProcess
from orchestration.queries import processes
from orchestration.runtime.breaker import MESSAGING, WEB_DATABASE, breaker
from orchestration.testing import linear
from templates_registry import registry

pytestmark = pytest.mark.django_db
HEALTHY, DEGRADED, UNHEALTHY = health.HEALTHY, health.DEGRADED, health.UNHEALTHY


@pytest.fixture(autouse=True)
def _fresh_health(monkeypatch):
    monkeypatch.setattr("orchestration.health.installed._current", None)


def run(sql: str, *parameters: Any) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, parameters)


def orchestrator(**pools: float) -> TaskerProcess:
    """Register an orchestrator whose pools, each of two executors, are busy to these shares."""
    row = processes.ProcessRow(
        uuid4(), "orchestrator", "o", "host", 1, "1", "test", [], [], 0, "Hybrid"
    )
    processes.register_process(row)
    report = {
        "executor_pools": {
            name: {"min": 1, "max": 4, "size": 2, "busy": 2, "utilization": share}
            for name, share in pools.items()
        }
    }
    processes.beat(row.worker_uuid, running=0, slots=0, report=report)
    return TaskerProcess.objects.get(pk=row.worker_uuid)


# ---------------------------------------------------------------- orchestration_system


def system() -> health.Verdict:
    return engine_checks()["orchestration_system"]()


def test_without_an_orchestrator_the_system_is_unhealthy():
    assert system().status == UNHEALTHY


@pytest.mark.parametrize(
    ("age", "status", "found"),
    [
        (0, "running", HEALTHY),
        (0, "draining", HEALTHY),
        (5, "running", HEALTHY),
        (7, "running", UNHEALTHY),  # three heartbeats of 2 s
        (0, "stopped", UNHEALTHY),
        (0, "lost", UNHEALTHY),
    ],
)
def test_an_orchestrator_counts_while_it_is_fresh(age, status, found):
    process = orchestrator()
    run(
        "UPDATE tasker_workers SET status = %s,"
        " last_heartbeat_at = tasker_now() - make_interval(secs => %s) WHERE worker_uuid = %s",
        status,
        age,
        process.pk,
    )

    assert system().status == found


def test_a_worker_is_no_orchestrator():
    process = orchestrator()
    run("UPDATE tasker_workers SET kind = 'worker' WHERE worker_uuid = %s", process.pk)

    assert system().status == UNHEALTHY


# ---------------------------------------------------------------- command_processor


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(None, HEALTHY), (0, HEALTHY), (4, HEALTHY), (6, DEGRADED), (58, DEGRADED), (61, UNHEALTHY)],
)
def test_command_processor(seconds, status):
    if seconds is not None:
        request_task("linear_1", namespace="test")
        run(
            "UPDATE pgmq.q_orchestration_task_requests"
            " SET vt = clock_timestamp() - make_interval(secs => %s)",
            seconds,
        )

    assert engine_checks()["command_processor"]().status == status


def test_a_message_somebody_works_on_is_not_late():
    request_task("linear_1", namespace="test")
    run("UPDATE pgmq.q_orchestration_task_requests SET vt = clock_timestamp() + interval '1 min'")

    assert engine_checks()["command_processor"]().message == "no message waits"


# ---------------------------------------------------------------- queue_depth


@pytest.mark.parametrize(
    ("messages", "waiting", "status"),
    [
        (0, 0, HEALTHY),
        (9, 0, HEALTHY),
        (10, 0, DEGRADED),
        (7, 3, DEGRADED),
        (0, 10, DEGRADED),
        (29, 0, DEGRADED),
        (30, 0, UNHEALTHY),
        (18, 12, UNHEALTHY),
        (200, 0, UNHEALTHY),
    ],
)
def test_queue_depth(settings, messages, waiting, status):
    settings.TASKER = {"queue_warning": 10, "queue_critical": 20, "queue_overflow": 30}
    registry.register(linear(1))
    registry.register(linear(1, namespace_name="idle"))
    for _ in range(waiting):
        create_task("linear_1", namespace="test", start=False)
    for _ in range(messages):
        run("SELECT pgmq.send('worker_test_queue', '{}')")

    verdict = engine_checks()["queue_depth"]()

    assert verdict.status == status
    assert "test" not in verdict.message, "a namespace is nobody's business"


# ---------------------------------------------------------------- channel_saturation


def test_channel_saturation(now):
    process = orchestrator(results=0.5, requests=0.1)
    check = engine_checks(clock=now)["channel_saturation"]
    found = []

    for share in (0.5, 0.69, 0.7, 0.94, 0.95, 1.0, 1.0, 0.9, 1.0, 1.0):
        report = {"executor_pools": {"results": {"size": 2, "utilization": share}}}
        processes.beat(process.pk, running=0, slots=0, report=report)
        found.append(check().status)
        now.now += 15

    assert found == [
        HEALTHY,
        HEALTHY,
        DEGRADED,
        DEGRADED,
        DEGRADED,  # saturated, but not for half a minute
        DEGRADED,
        UNHEALTHY,
        DEGRADED,
        DEGRADED,
        DEGRADED,
    ]


def test_the_busiest_pool_of_all_orchestrators_together_counts():
    orchestrator(results=1.0, requests=0.0)
    orchestrator(results=0.3, requests=0.2)

    assert engine_checks()["channel_saturation"]() == (HEALTHY, "'results' is 65% busy")


def test_without_orchestrators_nothing_is_saturated():
    assert engine_checks()["channel_saturation"]().status == HEALTHY


def test_what_the_database_knows_is_looked_at_every_few_seconds(now, django_assert_num_queries):
    checks = engine_checks(clock=now)

    def all_of_them() -> None:
        for check in checks.values():
            check()

    with django_assert_num_queries(3):
        all_of_them()
        now.now += 4.9
        all_of_them()
    now.now += 0.1
    with django_assert_num_queries(3):
        all_of_them()


# ---------------------------------------------------------------- circuit breakers


def test_circuit_breaker(settings, eventually):
    settings.TASKER = {"breaker_messaging": "1,60,1,1"}
    names = (WEB_DATABASE, MESSAGING)
    assert health.check_breakers(names).status == HEALTHY

    breaker(MESSAGING).record(is_failure=True)
    assert health.check_breakers(names) == (UNHEALTHY, "messaging is open")

    eventually(lambda: health.check_breakers(names).status != UNHEALTHY)
    assert health.check_breakers(names) == (DEGRADED, "messaging is half_open")


@pytest.mark.parametrize(("name", "is_ready"), [(WEB_DATABASE, False), (MESSAGING, True)])
def test_only_the_breaker_of_its_database_makes_a_web_process_unready(client, name, is_ready):
    for _ in range(5):
        breaker(name).record(is_failure=True)

    answer = client.get("/health/ready")

    assert (answer.status_code == 200) is is_ready
    body = answer.json()
    assert body["checks"]["circuit_breaker"]["status"] == UNHEALTHY
    assert body["info"]["circuit_breaker_state"][name] == "open"
    shown = body["info"]["circuit_breakers"][name]
    assert set(shown) == {
        "state",
        "failures",
        "opened_at",
        "next_trial_at",
        "calls",
        "rejections",
    }
    assert shown["opened_at"] < shown["next_trial_at"]


# ---------------------------------------------------------------- pool_utilization


class Held:
    """Connections that other requests have."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.connections: list[Any] = []

    def take(self, count: int) -> None:
        while len(self.connections) < count:
            self.connections.append(self.pool.getconn())

    def give_back(self) -> None:
        while self.connections:
            self.pool.putconn(self.connections.pop())


@pytest.fixture
def held(transactional_db):
    """A pool of ten connections that never grows: one that grows counts what it is opening."""
    connection: Any = connections["default"]
    options = connection.settings_dict["OPTIONS"]
    kept = options["pool"]
    connection.close()
    connection.close_pool()
    options["pool"] = {**kept, "min_size": 10, "max_size": 10}
    connection.pool.open()
    held = Held(connection.pool)
    held.pool.wait()
    yield held
    held.give_back()
    connection.close_pool()
    options["pool"] = kept


def test_pool_utilization(held, now):
    check = PoolCheck(clock=now)
    check()
    now.now += 61
    found = {}
    for count in (0, 6, 7, 8, 9, 10):
        held.take(count)
        found[count] = check().status
    held.give_back()

    assert found == {
        0: HEALTHY,
        6: HEALTHY,
        7: DEGRADED,
        8: DEGRADED,
        9: UNHEALTHY,
        10: UNHEALTHY,
    }


def test_somebody_who_got_no_connection_is_remembered_for_a_minute(held, now):
    check = PoolCheck(clock=now)
    check()
    now.now += 61
    assert check().status == HEALTHY
    held.take(10)
    with pytest.raises(Exception, match="couldn't get a connection"):
        held.pool.getconn(timeout=0.05)
    held.give_back()

    assert check() == (
        UNHEALTHY,
        "0% of the connections in use; somebody waited in vain for one",
    )
    now.now += 59
    assert check().status == UNHEALTHY
    now.now += 1
    assert check().status == HEALTHY


# ---------------------------------------------------------------- the web process as a whole


def test_a_web_process_has_the_checks_of_the_table(client: Client):
    orchestrator(results=0.1)

    body = client.get("/health/detailed").json()

    assert set(body["checks"]) == {
        "web_database",
        "orchestration_database",
        "circuit_breaker",
        "orchestration_system",
        "command_processor",
        "pool_utilization",
        "queue_depth",
        "channel_saturation",
    }
    assert body["info"]["circuit_breaker_state"] == {
        "web_database": "closed",
        "messaging": "closed",
    }


@pytest.mark.django_db(transaction=True)
def test_a_probe_takes_one_connection_and_gives_it_back(client: Client):
    connection: Any = connections["default"]
    connection.ensure_connection()
    pool = connection.pool
    connection.close()
    asked_before = pool.get_stats()["requests_num"]
    threads_before = threading.active_count()

    answer = client.get("/health/detailed")

    assert answer.status_code == 200
    assert json.loads(answer.content)["checks"]["web_database"]["status"] == HEALTHY
    assert pool.get_stats()["requests_num"] - asked_before == 1
    assert health.pool_use().in_use == 0
    assert threading.active_count() <= threads_before


@pytest.mark.django_db(transaction=True)
def test_a_deep_queue_and_no_orchestrator_leave_the_web_process_ready(client: Client, settings):
    settings.TASKER = {"queue_warning": 1, "queue_critical": 2, "queue_overflow": 3}
    registry.register(linear(1))
    for _ in range(5):
        create_task("linear_1", namespace="test")

    detailed, ready = client.get("/health/detailed").json(), client.get("/health/ready")

    assert detailed["status"] == UNHEALTHY
    assert detailed["checks"]["queue_depth"]["status"] == UNHEALTHY
    assert detailed["checks"]["orchestration_system"]["status"] == UNHEALTHY
    assert ready.status_code == 200
