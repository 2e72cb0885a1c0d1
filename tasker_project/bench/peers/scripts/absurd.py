"""absurd: one function for each shape, its steps checkpointed one after another.

Settings: workers that claim `BATCH` workflows at once and run each in their only thread (its client
has one connection, so threads would wait for one another), polls of `POLL_SECONDS` instead of 0.25
(it has no LISTEN), leases as by default. All steps of a workflow run in the process that claimed
it: branches are no work for others, and what is parallel elsewhere is a row of steps here.
"""

import signal
from typing import Any

import psycopg
from absurd_sdk import Absurd
from absurdctl import BUNDLED_SCHEMA_SQL

from tasker_project.bench.peers.scripts.contract import Script, address, main, say_ready
from tasker_project.bench.peers.scripts.postgres import Ends, execute, portions

QUEUE = "bench"
BATCH = 10
POLL_SECONDS = 0.05
ENDS = """
SELECT count(*), extract(epoch FROM max(completed_at))::float8
FROM absurd.r_bench
WHERE state = 'completed'
"""
STEPS = {
    "linear4": ["step_1", "step_2", "step_3", "step_4"],
    "diamond": ["start", "left", "right", "join"],
    "fanout20": ["start", *[f"branch_{n}" for n in range(1, 21)], "join"],
}


def do_nothing() -> dict[str, Any]:
    """Return a small result."""
    return {"ok": True}


def workflow(params: Any, context: Any) -> dict[str, Any]:
    """Run the steps of a shape; each is one checkpoint."""
    for name in STEPS[params["shape"]]:
        context.step(name, do_nothing)
    return {"ok": True}


def setup() -> None:
    """Make the tables, from the SQL that its command `absurdctl init` brings along."""
    execute(BUNDLED_SCHEMA_SQL)
    Absurd(address(), queue_name=QUEUE).create_queue()


def work() -> None:
    """Work until SIGTERM."""
    app = Absurd(address(), queue_name=QUEUE)
    app.register_task("workflow")(workflow)
    signal.signal(signal.SIGTERM, lambda number, frame: app.stop_worker())
    say_ready()
    app.start_worker(batch_size=BATCH, poll_interval=POLL_SECONDS)


class Client:
    """Spawns workflows, many in one transaction."""

    def __init__(self) -> None:
        """Connect."""
        self.progress = Ends(ENDS).progress
        self._connection: psycopg.Connection[Any] = psycopg.connect(address(), autocommit=True)
        self._app = Absurd(self._connection, queue_name=QUEUE)

    def enqueue(self, shape: str, count: int) -> None:
        """Request workflows."""
        for portion in portions(count):
            with self._connection.transaction():
                for _ in range(portion):
                    self._app.spawn("workflow", {"shape": shape}, queue=QUEUE)


if __name__ == "__main__":
    main(Script(setup, work, Client))
