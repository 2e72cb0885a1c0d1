"""Two deployments on one server, a database for each: nothing of one reaches the other.

The same templates, the same namespaces, the same idempotency keys. The first is the test database;
the second has a database of its own, migrated as a deployment's is.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import tuple_row

from orchestration.models import Task
from orchestration.testing import linear
from tests.acceptance.scenarios.conftest import own_cluster  # noqa: F401 - a fixture
from tests.clusters import Cluster
from tests.databases import fresh_database
from tests.factories import ticks
from tests.processes import database_url, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.listens, pytest.mark.timeout(180)]
KEY = "order-42"
CREATE = f"""
from orchestration.testing import linear
from tests.factories import ticks
print("made", ticks.start(linear(2), idempotency_key="{KEY}").task_uuid)
"""
STATE = "SELECT state FROM tasker_tasks WHERE task_uuid = %s"
# every process that ever moved something, and that is not of this deployment
STRANGERS = """
SELECT count(*)
FROM tasker_workflow_step_transitions
WHERE worker_uuid IS NOT NULL
  AND worker_uuid NOT IN (SELECT worker_uuid FROM tasker_workers)
"""
Ask = Callable[..., Any]


@pytest.fixture
def second(transactional_db: None) -> Iterator[str]:
    """Return the name of the second deployment's database."""
    with fresh_database("second") as name:
        yield name


@pytest.fixture
def ask(second: str) -> Iterator[Ask]:
    """Return a function that asks the second deployment for one value."""
    with psycopg.connect(database_url(second), autocommit=True, row_factory=tuple_row) as there:

        def value(query: str, *parameters: object) -> Any:
            [found] = there.execute(query.encode(), parameters).fetchone() or (None,)
            return found

        yield value


@pytest.fixture
def heard(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection to the first deployment that listens to all that is told there."""
    with psycopg.connect(database_url(), autocommit=True) as listening:
        for channel in ("pgmq_message_ready", "pgmq_message_ready.test", "tasker_due_work"):
            listening.execute(f'LISTEN "{channel}"'.encode())
        yield listening


def told(listening: psycopg.Connection[Any]) -> list[str]:
    return [each.channel for each in listening.notifies(timeout=0.2)]


def start_there(cluster: Cluster, name: str, *arguments: str) -> None:
    process = cluster.processes.start(
        *(*arguments, "--http-port", "0"),
        DATABASE_URL=database_url(name),
        TASKER_LOG_LEVEL="INFO",
    )
    process.says("process.started", within=30)


def create_there(cluster: Cluster, name: str) -> UUID:
    made = cluster.processes.run("shell", "-c", CREATE, DATABASE_URL=database_url(name))
    assert "made " in made.output, made.output
    return UUID(made.output.partition("made ")[2].split()[0])


def test_no_task_message_or_wake_up_crosses(
    own_cluster: Cluster,  # noqa: F811
    second: str,
    ask: Ask,
    heard: psycopg.Connection[Any],
):
    migrated = own_cluster.processes.run(
        "migrate_and_sync", DATABASE_URL=database_url(second), within=120
    )
    assert migrated.child.returncode == 0, migrated.output
    own_cluster.orchestrator()
    own_cluster.worker("test")
    start_there(own_cluster, second, "run_orchestrator")
    told(heard)  # what was told while the first one started

    theirs = create_there(own_cluster, second)
    wait_until(lambda: ask("SELECT count(*) FROM pgmq.q_worker_test_queue") == 1, within=20)

    assert told(heard) == []  # the second one's announcement woke nobody here
    assert not Task.objects.exists()  # and its message, with a worker idle here, waits for its own
    assert ask(STATE, theirs) == "steps_in_process"
    assert ask("SELECT count(*) FROM tasker_workers WHERE kind = 'worker'") == 0

    ours = ticks.start(linear(2), idempotency_key=KEY).task_uuid  # there is no such key here
    own_cluster.settles(ours, within=30)

    assert "pgmq_message_ready.test" in told(heard)  # it does hear, where there is something
    assert Task.objects.get().state == "complete"
    assert ask("SELECT count(*) FROM tasker_tasks") == 1
    assert ask(STATE, theirs) == "steps_in_process"

    start_there(
        own_cluster,
        second,
        *("run_worker", "--no-sync", "--handlers=tests.handlers.shapes", "test"),
    )
    wait_until(lambda: ask(STATE, theirs) == "complete", within=30)

    assert told(heard) == []
    assert Task.objects.count() == 1
    assert ask(STRANGERS) == 0
    assert ask("SELECT count(DISTINCT worker_uuid) FROM tasker_workers") == 2
