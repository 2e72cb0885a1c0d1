"""From the send of a message to its notification: how quickly somebody can be woken.

One process stamps both ends with one clock. The listener is connected before the first send; the
wait is a `select` on its socket, so nothing sleeps or polls.
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from orchestration.messaging import pgmq
from orchestration.messaging.listener import open_direct_connection
from orchestration.messaging.messages import ready_channel, worker_queue
from tasker_project.bench.database import rows
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, summarise
from tasker_project.bench.running import Bench, forget_tasks
from tasker_project.bench.throughput import create_backlog

QUEUE_OF = "bench_notify"  # a namespace of its own, so that no worker's channel is measured
WARM_UP_SAMPLES = 20
LONGEST_SECONDS = 10.0
SAMPLES = 10  # for each sample that the other suites take


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    bench.say("notify: idle")
    pgmq.create_queue(worker_queue(QUEUE_OF))
    count = bench.samples * SAMPLES
    figures = summarise("notify.idle", _samples(count))
    bench.say("notify: while the engine works")
    forget_tasks()
    create_backlog(bench.tasks)
    with bench.engine():
        figures |= summarise("notify.loaded", _samples(count))
    return figures


def _samples(count: int) -> list[float]:
    with _listening() as connection:
        taken = [_sample(connection) for _ in range(count + WARM_UP_SAMPLES)]
    return taken[WARM_UP_SAMPLES:]


def _sample(connection: psycopg.Connection[object]) -> float:
    """Send one message and return the ms until its notification was read."""
    pgconn = connection.pgconn
    began = time.perf_counter()
    rows(
        "SELECT pgmq_send_with_notify(%(queue)s, '{\"bench\": true}')",
        queue=worker_queue(QUEUE_OF),
    )
    while pgconn.notifies() is None:
        if not select.select([pgconn.socket], [], [], LONGEST_SECONDS)[0]:
            raise BenchError(f"A notification did not arrive within {LONGEST_SECONDS} s")
        pgconn.consume_input()
    return (time.perf_counter() - began) * 1000


@contextmanager
def _listening() -> Iterator[psycopg.Connection[object]]:
    with open_direct_connection("tasker:bench") as connection:
        connection.execute(
            psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(ready_channel(QUEUE_OF)))
        )
        yield connection
