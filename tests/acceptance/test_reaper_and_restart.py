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
        context={"folder": %r, "seconds": 3 + number %% 5 / 2, "number": number},
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

    def process(self, *arguments: str) -> ManageProcess:
        return self.processes.start(
            *arguments, DATABASE_URL=self.url, TASKER_LOG_LEVEL="INFO", TASKER_LOG_FORMAT="console"
        )

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


def steps_running(server: Server) -> int:
    return int(
        server.ask("SELECT count(*) FROM tasker_workflow_steps WHERE state = 'in_progress'")[0][0]
    )


def tasks_open(server: Server) -> int:
    return int(server.ask("SELECT count(*) FROM tasker_tasks WHERE state <> 'complete'")[0][0])


@pytest.mark.parametrize("seconds_away", [0.2, 9.0], ids=["restart", "longer than a lease"])
def test_no_step_is_taken_from_a_live_worker(server, tmp_path, seconds_away):
    server.run("migrate", "--verbosity", "0")
    server.run("shell", "-c", CREATE % (WORKERS * SLOTS * 2, str(tmp_path)))
    started = [
        server.process("run_orchestrator", "--http-port", "0"),
        server.process("run_orchestrator", "--http-port", "0"),
        *(
            server.process(
                *("run_worker", "sleeping", "--http-port", "0", "--no-sync"),
                *("--handlers", "tests.handlers.worker_process"),
                *("--slots", f"{SLOTS}-{SLOTS}", "--worker-id", f"worker-{number}"),
            )
            for number in range(WORKERS)
        ),
    ]
    wait_until(lambda: steps_running(server) == WORKERS * SLOTS, within=30)
    time.sleep(2.5)  # a heartbeat: rows say that their workers hold a lock

    server.stop()
    time.sleep(seconds_away)
    server.start()

    try:
        wait_until(lambda: tasks_open(server) == 0, within=60)
    except AssertionError as error:
        raise AssertionError(f"{error}\n" + "\n".join(each.output for each in started)) from None
    said = "\n".join(each.output for each in started)
    assert server.ask(
        "SELECT max(requeue_count), max(attempts), count(*) FROM tasker_workflow_steps"
    ) == [(0, 1, WORKERS * SLOTS * 2)], said
    assert server.ask("SELECT DISTINCT status FROM tasker_workers") == [("running",)], said
