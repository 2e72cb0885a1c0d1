"""What a suite is given: what was asked for, and the engine's real processes on demand.

The processes log at their default level to files in a temporary folder, as in production; after a
failure the last lines are shown.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from orchestration import client
from tasker_project.bench.database import child_environment, rows, value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.shapes import NAMESPACE
from tasker_project.processes import Child, ChildDied, ProcessGroup, manage

HANDLERS = "tasker_project.bench.handlers"
NO_PORT = ("--http-port", "0")
READY_TEXT = "process.started"
READY_SECONDS = 30.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a measurement needs to know."""

    logs: Path  # folder of the processes' log files
    tasks: int = 3000
    samples: int = 100
    orchestrators: int = 1
    workers: int = 1
    slots: int = 10
    seconds: int = 60
    concurrency: int = 16
    sizes: Sequence[int] = (5000, 100_000)
    random_state: int = 7
    say: Callable[[str], None] = field(default=lambda text: None)

    @contextmanager
    def engine(
        self, *, orchestrators: int | None = None, workers: int | None = None
    ) -> Iterator[ProcessGroup]:
        """Run orchestrators and workers, as many as asked for; yield once they are ready."""
        with ProcessGroup() as group:
            for i in range(self.orchestrators if orchestrators is None else orchestrators):
                self.start(group, f"orchestrator{i + 1}", manage("run_orchestrator", *NO_PORT))
            worker = ["run_worker", NAMESPACE, "--handlers", HANDLERS, "--slots", str(self.slots)]
            for i in range(self.workers if workers is None else workers):
                self.start(group, f"worker{i + 1}", manage(*worker, "--no-sync", *NO_PORT))
            for child in group.children:
                self._wait_ready(group, child)
            try:
                yield group
            except BenchError as error:
                raise BenchError("\n".join([str(error), *_last_words(group)])) from error

    def start(self, group: ProcessGroup, name: str, arguments: Sequence[str]) -> Child:
        """Start one command on the measured database."""
        return group.start(
            name,
            arguments,
            environment=child_environment(),
            log_file=self.logs / f"{name}.log",
        )

    def _wait_ready(self, group: ProcessGroup, child: Child) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while READY_TEXT not in (self.logs / f"{child.name}.log").read_text(errors="replace"):
            check_alive(group)
            if time.monotonic() > deadline:
                said = "\n".join(child.last_lines)
                raise BenchError(f"'{child.name}' was not ready after {READY_SECONDS} s:\n{said}")
            time.sleep(LOOK_SECONDS)


def _last_words(group: ProcessGroup) -> Iterator[str]:
    for child in group.children:
        yield f"--- {child.name} said last:"
        yield from child.last_lines


def check_alive(group: ProcessGroup) -> None:
    """Raise `BenchError` when a process of the engine has ended."""
    try:
        group.check()
    except ChildDied as error:
        raise BenchError(f"The measurement was given up. {error}") from error


def create(shape: str) -> UUID:
    """Create one task of a shape through the Python client."""
    return client.create_task(shape, namespace=NAMESPACE).task_uuid


def forget_tasks() -> None:
    """Empty the tables of tasks, so that the next measurement starts as the first one did."""
    rows("TRUNCATE tasker_tasks CASCADE")
    purge_queues()


def purge_queues() -> None:
    """Throw away all messages, so that no queue is too full for the next measurement."""
    for (queue,) in rows("SELECT queue_name FROM pgmq.list_queues()"):
        value("SELECT pgmq.purge_queue(%(queue)s)", queue=queue)
