"""A PostgreSQL that goes away under running handlers: no step is taken from a live worker.

While it is away nobody can prolong a lease, and once it is back every liveness lock is free until
its worker has connected again: a reaper that judged then would take everything from everybody. The
server is the tests' own; processes reach it as an ordinary one, so nobody starts it but the test.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import NAME, PORT, EmbeddedServer
from tests.processes import ManageProcess, Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180), pytest.mark.listens]

SLOTS = 4
WORKERS = 2
PRODUCTION = {"TASKER_HEARTBEAT_SECONDS": "10", "TASKER_LEASE_SECONDS": "30"}
CREATE = """
import json
from orchestration.client import create_task
from templates_registry import registry

registry.register(registry.load_text(json.dumps({
    "name": "sleep", "namespace_name": "sleeping", "version": "1.0.0",
    "steps": [{"name": "step", "handler": {"callable": "worker_process.sleep"}}],
})))
for number in range(%d):
    create_task(
        "sleep",
        namespace="sleeping",
        context={"folder": %r, "seconds": %d + number %% 5 / 2, "number": number},
    )
"""


class Server:
    """A PostgreSQL of one test, and the processes that use it."""

    def __init__(self, root: Path) -> None:
        self.embedded = EmbeddedServer(root)
        self.processes = Processes()
        folder = self.embedded.socket_folder
        self.url = f"postgresql://{NAME}@{quote(str(folder), safe='')}:{PORT}/{NAME}"
        self.start()

    def start(self) -> None:
        self.embedded.ensure()

    def stop(self) -> None:
        postmaster.stop(self.embedded.data)

    def close(self) -> None:
        self.processes.end_all()
        self.embedded.release()

    def process(self, *arguments: str, **environment: str) -> ManageProcess:
        return self.processes.start(
            *arguments, DATABASE_URL=self.url, TASKER_LOG_LEVEL="INFO", **environment
        )

    def orchestrator(self, **environment: str) -> ManageProcess:
        return self.process("run_orchestrator", "--http-port", "0", **environment)

    def workers(self, **environment: str) -> None:
        for number in range(WORKERS):
            self.process(
                *("run_worker", "sleeping", "--http-port", "0", "--no-sync"),
                *("--handlers", "tests.handlers.worker_process"),
                *("--slots", f"{SLOTS}-{SLOTS}", "--worker-id", f"worker-{number}"),
                **environment,
            )

    def create(self, count: int, folder: Path, *, seconds: int) -> None:
        """Create tasks of one step that sleeps for about so long."""
        self.run("migrate", "--verbosity", "0")
        self.run("shell", "-c", CREATE % (count, str(folder), seconds))

    def waits(self, query: str, answer: object, *, within: float) -> None:
        """Wait for the answer; when it does not come, show what the processes printed."""
        try:
            wait_until(lambda: self.ask(query) == [(answer,)], within)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said}") from None

    @property
    def said(self) -> str:
        return "\n".join(each.output for each in self.processes.started)

    def run(self, *arguments: str) -> None:
        process = self.process(*arguments)
        assert process.ends(60) == 0, process.output

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host=str(self.embedded.socket_folder), port=PORT, user=NAME, dbname=NAME
        ) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.close()


RUNNING = "SELECT count(*)::int FROM tasker_workflow_steps WHERE state = 'in_progress'"
LOCKED = "SELECT count(*)::int FROM tasker_workers WHERE has_liveness_lock"
HALF_DONE = "SELECT count(*) FILTER (WHERE state = 'complete') >= count(*) / 2 FROM tasker_tasks"
OPEN = "SELECT count(*)::int FROM tasker_tasks WHERE state <> 'complete'"


def assert_nothing_was_taken_back(server: Server, count: int) -> None:
    server.waits(OPEN, 0, within=60)
    assert server.ask(
        "SELECT max(requeue_count), max(attempts), count(*)::int FROM tasker_workflow_steps"
    ) == [(0, 1, count)], server.said
    assert server.ask("SELECT DISTINCT status FROM tasker_workers") == [("running",)], server.said


def test_no_step_is_taken_from_a_live_worker(server, tmp_path):
    server.create(WORKERS * SLOTS * 2, tmp_path, seconds=3)
    server.orchestrator()
    server.orchestrator()
    server.workers()
    server.waits(RUNNING, WORKERS * SLOTS, within=30)
    server.waits(LOCKED, WORKERS, within=30)

    server.stop()
    server.start()

    server.waits(HALF_DONE, True, within=30)
    server.waits(LOCKED, WORKERS, within=30)
    server.stop()
    time.sleep(8)  # longer than a lease of this profile
    server.start()

    assert_nothing_was_taken_back(server, WORKERS * SLOTS * 2)


def test_an_orchestrator_that_starts_with_the_server_takes_nothing_either(server, tmp_path):
    """It has lost no connection, and looks twice while the workers still pause before they try.

    Theirs is the pause of production: tried after 7 s without success, again after 12.
    """
    server.create(WORKERS * SLOTS, tmp_path, seconds=14)
    server.workers(**PRODUCTION)
    server.waits(RUNNING, WORKERS * SLOTS, within=30)
    server.waits(LOCKED, WORKERS, within=30)

    server.stop()
    time.sleep(7.3)
    server.start()
    server.orchestrator(**PRODUCTION)

    assert_nothing_was_taken_back(server, WORKERS * SLOTS)
