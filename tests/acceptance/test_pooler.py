"""A cluster behind PgBouncer in transaction mode: with a direct connection, or by polling alone."""

import itertools
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connections

from orchestration.models import Task, TaskerProcess
from orchestration.testing import (
    FAIL_PERMANENT,
    dag,
    diamond,
    fail_times,
    fan_in,
    linear,
)
from tests.clusters import Cluster, step
from tests.factories import ticks
from tests.pooler import WAYS, Pooler, needs_pgbouncer
from tests.processes import Processes, database_url, wait_until

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    needs_pgbouncer,
]
FLAKY = {"handler": fail_times(1), "retry": {"backoff": "linear", "backoff_base_ms": 200}}
LONG_LEASE = {"TASKER_LEASE_SECONDS": "60", "TASKER_HEARTBEAT_SECONDS": "2"}


@pytest.fixture
def start_pooler() -> Iterator[Callable[..., Pooler]]:
    """Start poolers that end with the test."""
    started = []

    def start(*more: str, size: int = 20) -> Pooler:
        started.append(Pooler(*more, size=size))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("way", WAYS)
def test_mixed_tasks_and_a_killed_worker(start_pooler, processes: Processes, tmp_path, way):
    pooler = start_pooler()
    route = pooler.environment(way) | (LONG_LEASE if way == "direct" else {})
    cluster = Cluster(processes)
    broken = diamond(name="broken", steps={"right": {"handler": FAIL_PERMANENT}})
    flaky = linear(2, name="flaky", steps={"step_1": FLAKY})
    shapes = [linear(4), diamond(), dag(), fan_in(5), flaky, broken]
    for template in shapes:
        cluster.register(template)
    cluster.orchestrator(**route)
    doomed = cluster.worker(**route)
    assert {name.split(":")[1] for name in pooler.clients() if ":" in name} >= {
        "orchestrator",
        "worker",
    }
    made = [ticks.start(template) for template in itertools.islice(itertools.cycle(shapes), 50)]
    cluster.settles(*(each.task_uuid for each in made), within=40)
    blocked = Task.objects.filter(state="blocked_by_failures")
    assert Task.objects.filter(state="complete").count() == 42
    assert set(blocked.values_list("named_task__name", flat=True)) == {"broken"}

    locks = TaskerProcess.objects.filter(pid=doomed.child.pid, has_liveness_lock=True)
    cluster.waits(lambda: locks.exists() == (way == "direct"))
    waiting = linear(1, name="waiting", steps={"step_1": {"handler": {"callable": "test.wait"}}})
    held = ticks.start(waiting, {"gate": str(tmp_path)}).task_uuid
    cluster.waits(lambda: (tmp_path / "step_1.1").exists())
    cluster.worker(**route)
    doomed.kill()
    killed = time.monotonic()
    cluster.waits(lambda: (tmp_path / "step_1.2").exists(), within=20)

    # By the lock, which is seen free twice; or by the lease of the test profile.
    assert time.monotonic() - killed < (6 if way == "direct" else 6 + 3)
    (tmp_path / "go").touch()
    cluster.settles(held)
    assert step(held, "step_1").attempts == 2
    ticks.assert_invariants()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "refuses startup options"),
        (("ignore_startup_parameters = options",), "did not reach the listener"),
    ],
)
def test_listening_through_the_pooler_ends_with_2(start_pooler, processes, more, words):
    pooler = start_pooler(*more)

    orchestrator = processes.start("run_orchestrator", "--http-port", "0", DATABASE_URL=pooler.url)

    assert orchestrator.ends() == 2
    assert words in orchestrator.output
    assert "DATABASE_DIRECT_URL" in orchestrator.output
    assert "PollingOnly" in orchestrator.output


def test_the_mode_of_the_command_line_is_enough(start_pooler, processes):
    pooler = start_pooler()

    orchestrator = processes.start(
        "run_orchestrator",
        "--http-port",
        "0",
        "--mode",
        "PollingOnly",
        DATABASE_URL=pooler.url,
    )

    wait_until(lambda: TaskerProcess.objects.filter(status="running").exists(), 15)
    assert orchestrator.child.poll() is None


def test_nothing_stays_in_the_session_that_everybody_shares(start_pooler, processes, tmp_path):
    """One session of the server for all clients: whatever one left there the next would find."""
    pooler = start_pooler(size=1)
    fresh = settings_of(database_url())
    asking = {"step_1": {"handler": {"callable": "worker_process.statement_limit"}}}
    ticks.start(linear(2, steps=asking | {"step_2": asking["step_1"]}), {"folder": str(tmp_path)})
    route = pooler.environment("polling")
    handlers = ("--no-sync", "--handlers", "tests.handlers.worker_process")
    processes.start("run_orchestrator", "--http-port", "0", **route)
    processes.start("run_worker", "test", "--http-port", "0", *handlers, **route)
    wait_until(lambda: Task.objects.filter(state="complete").exists(), 20)

    left = settings_of(pooler.url)

    assert left == fresh
    assert advisory_locks() == 0


def settings_of(url: str) -> dict[str, str]:
    """Return what the engine sets, as a client finds it that sets nothing."""
    names = [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "plan_cache_mode",
        "jit",
        "synchronous_commit",
        "tasker.move",
    ]
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        found = connection.execute(
            "SELECT name, coalesce(current_setting(name, true), '')"
            " FROM unnest(%s::text[]) AS name",
            [names],
        )
        return dict(found.fetchall())


def advisory_locks() -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
            " WHERE locktype = 'advisory' AND d.datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def test_migrations_go_past_the_pooler(start_pooler, processes):
    pooler = start_pooler()
    route = pooler.environment("direct")
    pooler.close()  # it need not even be there

    done = processes.run("migrate", "--plan", **route)

    assert done.child.returncode == 0, done.output
    assert "No planned migration operations" in done.output
