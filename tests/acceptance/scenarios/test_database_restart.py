"""A database that restarts, and one that crashes, under load: the first half of scenario X14.

The server is the test's own. What becomes of long handlers is in test_reaper_and_restart.py; here
many short steps are in every phase of their lives when the sessions end.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.chaos.server import Server
from tests.processes import ManageProcess, Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]
TASKS = 80
STEPS = 4
CREATE = f"""
from orchestration.client import create_task
from orchestration.testing import linear
from templates_registry import registry
from tests.handlers.shapes import napping

template = napping(linear({STEPS}))
assert registry.register(template).named_task_uuid
for _ in range({TASKS}):
    create_task(template.name, namespace="test")
"""
COMPLETE = "SELECT count(*) FROM tasker_workflow_steps WHERE state = 'complete'"
OPEN = "SELECT count(*) FROM tasker_tasks WHERE state <> 'complete'"
OUTCOME = "SELECT max(requeue_count), max(attempts), count(*) FROM tasker_workflow_steps"


class Installation:
    """A server of one test, and the processes that use it."""

    def __init__(self, folder: Path) -> None:
        self.server = Server(folder)
        self.server.start()
        self.processes = Processes()

    def start(self, *arguments: str) -> ManageProcess:
        return self.processes.start(*arguments, DATABASE_URL=self.server.url)

    def run(self, *arguments: str) -> None:
        process = self.start(*arguments)
        assert process.ends(90) == 0, process.output

    def ask(self, query: str) -> tuple[Any, ...]:
        with psycopg.connect(self.server.url) as connection:
            found = connection.execute(query.encode()).fetchone()
        assert found is not None
        return found

    def waits(self, query: str, *, least: int = 0, most: int = 10**9, within: float) -> None:
        try:
            wait_until(lambda: least <= self.ask(query)[0] <= most, within)
        except AssertionError as error:
            said = "\n".join(each.output for each in self.processes.started)
            raise AssertionError(f"{error}: {query} is {self.ask(query)[0]}\n{said}") from None


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    found = Installation(tmp_path)
    yield found
    found.processes.end_all()
    found.server.stop()


def test_no_step_is_lost_or_taken_back_when_the_database_restarts_and_crashes(installation):
    installation.run("migrate", "--verbosity", "0")
    installation.run("shell", "-v", "0", "-c", CREATE)
    quiet = ("--http-port", "0")
    for _ in range(2):
        installation.start("run_orchestrator", *quiet)
        installation.start(
            "run_worker", "test", *quiet, "--no-sync", "--handlers", "tests.handlers.shapes"
        )

    installation.waits(COMPLETE, least=TASKS * STEPS // 5, within=60)
    installation.server.restart("fast", down_seconds=0.5)
    installation.waits(COMPLETE, least=TASKS * STEPS // 2, within=60)
    installation.server.restart("immediate", down_seconds=0.5)
    installation.waits(OPEN, most=0, within=90)

    assert installation.ask(OUTCOME) == (0, 1, TASKS * STEPS)
