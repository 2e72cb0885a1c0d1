"""Tasker's turn: one orchestrator, two workers, as the other suites of the bench run them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import connections

from tasker_project.bench.database import rows, settle
from tasker_project.bench.errors import BenchError
from tasker_project.bench.peers.scripts import contract
from tasker_project.bench.peers.scripts.contract import Progress, Spent, StandstillError
from tasker_project.bench.peers.systems import AtWork
from tasker_project.bench.running import Bench, check_alive, forget_tasks
from tasker_project.bench.throughput import create_backlog
from tasker_project.processes import ProcessGroup

TEMPLATES = {"linear4": "linear4", "diamond": "diamond4", "fanout20": "fanout20"}
ENDS = """
SELECT count(*), extract(epoch FROM max(completed_at))::float8
FROM tasker_tasks
WHERE state = 'complete'
"""


@dataclass(frozen=True)
class TaskerSystem:
    """Tasker, on the database this process is connected to."""

    bench: Bench
    name: str = "tasker"

    @contextmanager
    def at_work(self) -> Iterator[AtWork]:
        """Start the processes on empty tables, and end them afterwards."""
        forget_tasks()
        settle()
        with self.bench.engine() as group:
            client = Client(group)
            database = str(connections["default"].settings_dict["NAME"])
            try:
                yield AtWork(
                    group,
                    database,
                    partial(contract.latencies_ms, client),
                    partial(_throughput, client),
                )
            except StandstillError as error:
                raise BenchError(f"tasker: {error}") from error


@dataclass(frozen=True)
class Client:
    """Creates tasks through Tasker's Python client, in this process."""

    group: ProcessGroup

    def enqueue(self, shape: str, count: int) -> None:
        """Request workflows, many in one transaction."""
        create_backlog(count, shape=TEMPLATES[shape])

    def progress(self) -> Progress:
        """Look what is finished by now."""
        check_alive(self.group)
        [(finished, last_end)] = rows(ENDS)
        return Progress(int(finished), float(last_end or 0))


def _throughput(client: Client, shape: str, count: int, begin: Callable[[], None]) -> Spent:
    return contract.throughput(client, shape, count, begin=begin)
