"""DBOS Transact: one decorated function for each shape, its steps checkpointed.

Settings: workflows wait on a queue and are run by worker processes, `CONCURRENCY` at once in each;
polls of `POLL_SECONDS` instead of 1 s (its queues have no LISTEN), connections without a test
before each use, no logs, no tracing. Branches are asynchronous steps that are gathered; all steps
of a workflow run in the process that took it.
"""

import asyncio
import os
import signal
from typing import Any

import sqlalchemy
from dbos import DBOS, DBOSClient, DBOSConfig

from tasker_project.bench.peers.scripts.contract import Script, address, main, say_ready
from tasker_project.bench.peers.scripts.postgres import Ends, portions

QUEUE = "bench"
CONCURRENCY = 50
POLL_SECONDS = 0.05
START_SECONDS = 2.0  # it looks for queues once a second
ENDS = """
SELECT count(*), max(completed_at)::float8 / 1000
FROM dbos.workflow_status
WHERE status = 'SUCCESS'
"""


@DBOS.step()
def do_nothing() -> dict[str, Any]:
    """Return a small result."""
    return {"ok": True}


@DBOS.step()
async def do_nothing_beside() -> dict[str, Any]:
    """Return a small result; for steps that run beside one another."""
    return {"ok": True}


@DBOS.workflow(name="linear4")
def linear4() -> dict[str, Any]:
    """Run four steps, one after another."""
    for _ in range(4):
        do_nothing()
    return {"ok": True}


@DBOS.workflow(name="diamond")
async def diamond() -> dict[str, Any]:
    """Run one step, two, and one."""
    return await _widen(2)


@DBOS.workflow(name="fanout20")
async def fanout20() -> dict[str, Any]:
    """Run one step, twenty, and one."""
    return await _widen(20)


async def _widen(width: int) -> dict[str, Any]:
    await do_nothing_beside()
    await asyncio.gather(*(do_nothing_beside() for _ in range(width)))
    await do_nothing_beside()
    return {"ok": True}


def launch(name: str) -> None:
    """Start DBOS in this process."""
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": address(),
        "application_version": "1",
        "executor_id": name,
        "log_level": "ERROR",
        "db_engine_kwargs": {"pool_pre_ping": False},
    }
    DBOS(config=config)
    DBOS.launch()


def setup() -> None:
    """Make the tables and the queue."""
    launch("setup")
    DBOS.register_queue(QUEUE, worker_concurrency=CONCURRENCY, polling_interval_sec=POLL_SECONDS)
    DBOS.destroy()


def work() -> None:
    """Work until SIGTERM; the work is done by DBOS's own threads."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    launch(f"worker-{os.getpid()}")
    say_ready()
    signal.sigwait({signal.SIGTERM})
    DBOS.destroy()


class Client:
    """Enqueues workflows, many in one transaction."""

    def __init__(self) -> None:
        """Connect."""
        self.progress = Ends(ENDS).progress
        self._engine = sqlalchemy.create_engine(
            sqlalchemy.make_url(address()).set(drivername="postgresql+psycopg")
        )
        self._dbos = DBOSClient(system_database_engine=self._engine)

    def enqueue(self, shape: str, count: int) -> None:
        """Request workflows."""
        for portion in portions(count):
            with self._engine.begin() as connection:
                for _ in range(portion):
                    self._dbos.enqueue_in_transaction(
                        connection, {"workflow_name": shape, "queue_name": QUEUE}
                    )


if __name__ == "__main__":
    main(Script(setup, work, Client))
