"""procrastinate: a chain of jobs made by hand, each task defers the next.

Settings: asynchronous tasks, LISTEN/NOTIFY (default), `CONCURRENCY` jobs at once in each process,
`CONNECTIONS` connections, no logs; jobs and their events are kept (default). Two processes. It
fetches one job at a time, and stores no results.
"""

import asyncio
import logging
from typing import Any

from procrastinate import App, PsycopgConnector

from tasker_project.bench.peers.scripts import by_hand
from tasker_project.bench.peers.scripts.contract import Script, address, main, say_ready
from tasker_project.bench.peers.scripts.postgres import Ends, execute, portions

QUEUE = "bench"
CONCURRENCY = 10
CONNECTIONS = 10
ENDS = """
SELECT count(*), extract(epoch FROM max(e.at))::float8
FROM procrastinate_events AS e
JOIN procrastinate_jobs AS j ON j.id = e.job_id
WHERE e.type = 'succeeded' AND j.args @> '{"last": true}'
"""

connector = PsycopgConnector(conninfo=address(), min_size=1, max_size=CONNECTIONS)
app = App(connector=connector)


@app.task(name="step", queue=QUEUE)
async def step(**job: Any) -> dict[str, Any]:
    """Do nothing, then defer what comes next; return a small result."""
    if not job["last"]:
        async with connector.pool.connection() as connection:  # one transaction
            if following := await by_hand.next_jobs(job, connection):
                await step.configure(connection=connection).batch_defer_async(*following)
    return {"ok": True}


def setup() -> None:
    """Make the tables."""

    async def make() -> None:
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(make())
    execute(by_hand.TABLE)


def work() -> None:
    """Work until SIGTERM, which procrastinate takes by itself."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)

    async def serve() -> None:
        async with app.open_async():
            say_ready()
            await app.run_worker_async(queues=[QUEUE], concurrency=CONCURRENCY)

    asyncio.run(serve())


class Client:
    """Defers the first jobs, many in one statement."""

    def __init__(self) -> None:
        """Connect."""
        logging.getLogger("procrastinate").setLevel(logging.ERROR)
        self.progress = Ends(ENDS).progress
        self._runner = asyncio.Runner()
        self._runner.run(connector.open_async())

    def enqueue(self, shape: str, count: int) -> None:
        """Request workflows."""
        for portion in portions(count):
            jobs = [by_hand.first(shape) for _ in range(portion)]
            self._runner.run(step.batch_defer_async(*jobs))


if __name__ == "__main__":
    main(Script(setup, work, Client))
