"""oban-py: a chain of jobs made by hand; workflows belong to its commercial edition.

Settings: uvloop and orjson as its own command `oban start` has them, LISTEN/NOTIFY (default),
`LIMIT` jobs at once in each process (fetched together, so that each costs less), `CONNECTIONS`
connections, no telemetry, no logs. Two processes: one has one core, because of the GIL. What a job
returns is not stored unless it says so.
"""

import asyncio
import signal
from typing import Any

import orjson
import uvloop
from oban import Job, Oban, worker
from oban.schema import install
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

from tasker_project.bench.peers.scripts import by_hand
from tasker_project.bench.peers.scripts.contract import Script, address, main, say_ready
from tasker_project.bench.peers.scripts.postgres import Ends, execute, portions

QUEUE = "bench"
LIMIT = 50
CONNECTIONS = 10
ENDS = """
SELECT count(*), extract(epoch FROM max(completed_at) AT TIME ZONE 'UTC')::float8
FROM oban_jobs
WHERE state = 'completed' AND args @> '{"last": true}'
"""

set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)


class DoNothing:
    """One step: it does nothing, then enqueues what comes next."""

    pool: AsyncConnectionPool

    async def process(self, job: Job) -> dict[str, Any]:
        """Return a small result."""
        if not job.args["last"]:
            async with self.pool.connection() as connection:  # one transaction
                following = await by_hand.next_jobs(job.args, connection)
                jobs = [Step.new(each) for each in following]
                await Oban.get_instance().enqueue_many(jobs, conn=connection)
        return {"ok": True}


Step: Any = worker(queue=QUEUE, max_attempts=3)(DoNothing)


def setup() -> None:
    """Make the tables."""

    async def make() -> None:
        async with await Oban.create_pool(address()) as pool:
            await install(pool)

    uvloop.run(make())
    execute(by_hand.TABLE)


def work() -> None:
    """Work until SIGTERM."""

    async def serve() -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        async with await Oban.create_pool(address(), max_size=CONNECTIONS) as pool:
            DoNothing.pool = pool
            async with Oban(pool=pool, queues={QUEUE: LIMIT}):
                say_ready()
                await stopping.wait()

    uvloop.run(serve())


class Client:
    """Enqueues the first jobs, many in one transaction."""

    def __init__(self) -> None:
        """Connect."""
        self.progress = Ends(ENDS).progress
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._oban = self._runner.run(self._connect())

    def enqueue(self, shape: str, count: int) -> None:
        """Request workflows."""
        for portion in portions(count):
            jobs = [Step.new(by_hand.first(shape)) for _ in range(portion)]
            self._runner.run(self._oban.enqueue_many(jobs))

    async def _connect(self) -> Oban:
        return Oban(pool=await Oban.create_pool(address(), max_size=1))


if __name__ == "__main__":
    main(Script(setup, work, Client))
