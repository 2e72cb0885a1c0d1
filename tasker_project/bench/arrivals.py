"""Who creates tasks while the engine is watched: at a steady rate, or as fast as they are finished.

Threads of the measuring process, each with a connection of its own; one transaction a task, as a
request would be.

Why open loop for the long watch: clients do not slow down because the engine does, so a hiccup
shows as latency and is not hidden by fewer arrivals.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from orchestration.runtime.database import (
    CONNECTION_ERRORS,
    discard_connections,
    release_connections,
)
from tasker_project.bench.database import value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.running import create

CREATORS = 4
LOOK_SECONDS = 0.02
END_SECONDS = 10.0
OUTAGE_SECONDS = 0.2
# `completed_at IS NULL` would not find the partial index of the unfinished ones
UNFINISHED = """
SELECT count(*)
FROM tasker_tasks
WHERE state IN (
  'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results',
  'waiting_for_dependencies', 'waiting_for_retry', 'blocked_by_failures'
)
"""


class Arrivals:
    """Running creators; `check` tells when one of them failed.

    `behind_seconds` is how late the last arrival was: more than moments, and the rate is more than
    this machine can create.
    """

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.behind_seconds = 0.0
        self.is_over = threading.Event()

    def check(self) -> None:
        """Raise `BenchError` when a creator has failed."""
        if self.failure:
            raise BenchError(f"Creating tasks failed: {self.failure!r}") from self.failure

    def run(self, work: Callable[[], None]) -> None:
        """Live as one thread until the arrivals are over."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again by check(), in the main thread
            self.failure = error
            self.is_over.set()
        finally:
            release_connections()


@contextmanager
def arriving(shape: str, *, per_second: float) -> Iterator[Arrivals]:
    """Create tasks at a steady rate inside the block, whatever becomes of them."""
    began = time.monotonic()
    pause = CREATORS / per_second

    def work(number: int) -> None:
        due = began + pause * number / CREATORS
        while not arrivals.is_over.wait(max(due - time.monotonic(), 0)):
            create(shape)
            due += pause  # late ones follow at once: nobody is left out
            arrivals.behind_seconds = max(time.monotonic() - due, 0)

    arrivals = Arrivals()
    with threads(arrivals, work):
        yield arrivals


@contextmanager
def replenished(shape: str, *, backlog: int, survives_outages: bool = False) -> Iterator[Arrivals]:
    """Keep so many tasks unfinished inside the block: the engine is never without work."""

    def work(number: int) -> None:
        while not arrivals.is_over.is_set():
            try:
                _fill_up(shape, backlog, arrivals)
            except CONNECTION_ERRORS:
                if not survives_outages:
                    raise
                discard_connections()
                arrivals.is_over.wait(OUTAGE_SECONDS)

    arrivals = Arrivals()
    with threads(arrivals, work):
        yield arrivals


def _fill_up(shape: str, backlog: int, arrivals: Arrivals) -> None:
    """Create this thread's share of what is missing; rest a moment where nothing is."""
    missing = backlog - int(value(UNFINISHED))
    for _ in range(-(-missing // CREATORS)):
        create(shape)
    if missing <= 0:
        arrivals.is_over.wait(LOOK_SECONDS)


@contextmanager
def threads(
    arrivals: Arrivals, work: Callable[[int], None], *, count: int = CREATORS
) -> Iterator[None]:
    """Run the work in so many threads until the block is left."""
    running = [
        threading.Thread(target=arrivals.run, args=(partial(work, number),), daemon=True)
        for number in range(count)
    ]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        arrivals.is_over.set()
        for thread in running:
            thread.join(END_SECONDS)
