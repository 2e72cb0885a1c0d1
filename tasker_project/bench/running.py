"""What a suite is given: what was asked for, and the engine's real processes on demand.

The processes log at their default level to files in a temporary folder, as in production; after a
failure the last lines are shown.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from orchestration import client
from tasker_project.bench.database import child_environment, rows, value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.listing import Listing
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
    processes: int = 1  # of each worker, under one parent
    slots: int = 10
    steps: int = 5000  # of a large task
    batches: int = 10_000  # of a large task
    seconds: int = 60
    concurrency: int = 16
    sizes: Sequence[int] = (5000, 100_000)
    random_state: int = 7
    minutes: float = 30
    rate: float = 0  # tasks a second; 0 = a share of the measured most
    keep_minutes: float = 0  # finished tasks are purged after so long; 0 = kept
    environment: Mapping[str, str] = field(default_factory=dict)  # of the processes, besides
    say: Callable[[str], None] = field(default=lambda text: None)
    listings: list[Listing] = field(default_factory=list)  # a suite adds what are no figures

    @contextmanager
    def engine(
        self,
        *,
        orchestrators: int | None = None,
        workers: int | None = None,
        mode: str = "Hybrid",
    ) -> Iterator[ProcessGroup]:
        """Run orchestrators and workers, as many as asked for; yield once they are ready."""
        with ProcessGroup() as group:
            wanted = self.orchestrators if orchestrators is None else orchestrators
            self.start_orchestrators(group, wanted, mode=mode)
            wanted = self.workers if workers is None else workers
            self.start_workers(group, wanted, slots=self.slots, mode=mode)
            try:
                yield group
            except BenchError as error:
                raise BenchError("\n".join([str(error), *_last_words(group)])) from error

    def start_orchestrators(
        self, group: ProcessGroup, count: int, *, mode: str = "Hybrid"
    ) -> list[Child]:
        """Start orchestrators and wait until they are ready."""
        return self._start("orchestrator", group, count, ["run_orchestrator", "--mode", mode])

    def start_workers(
        self, group: ProcessGroup, count: int, *, slots: int, mode: str = "Hybrid"
    ) -> list[Child]:
        """Start workers and wait until they are ready."""
        worker = ["run_worker", NAMESPACE, "--handlers", HANDLERS, "--no-sync", "--mode", mode]
        worker += ["--slots", str(slots)]
        if self.processes > 1:
            worker += ["--processes", str(self.processes)]
        return self._start("worker", group, count, worker, each=self.processes)

    def _start(
        self, kind: str, group: ProcessGroup, count: int, arguments: Sequence[str], *, each: int = 1
    ) -> list[Child]:
        """Start commands of one kind, each with a number of its own, and wait for all.

        `each` is how many processes a command consists of, without their parent.
        """
        taken = {child.name for child in group.children} | {p.stem for p in self.logs.glob("*.log")}
        free = (name for n in itertools.count(1) if (name := f"{kind}{n}") not in taken)
        started = [
            self.start(group, next(free), manage(*arguments, *NO_PORT)) for _ in range(count)
        ]
        for child in started:
            self._wait_ready(group, child, processes=each)
        return started

    def start(self, group: ProcessGroup, name: str, arguments: Sequence[str]) -> Child:
        """Start one command on the measured database."""
        return group.start(
            name,
            arguments,
            environment={**child_environment(), **self.environment},
            log_file=self.logs / f"{name}.log",
        )

    def _wait_ready(self, group: ProcessGroup, child: Child, *, processes: int) -> None:
        deadline, log = time.monotonic() + READY_SECONDS, self.logs / f"{child.name}.log"
        while log.read_text(errors="replace").count(READY_TEXT) < processes:
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


def create(shape: str, **context: Any) -> UUID:
    """Create one task of a shape through the Python client; keywords are its context."""
    return client.create_task(shape, namespace=NAMESPACE, context=context).task_uuid


def create_together(shape: str, count: int) -> None:
    """Create tasks of a shape by one call of the Python client; their context is their number."""
    client.create_tasks(
        {"name": shape, "namespace": NAMESPACE, "context": {"number": number}}
        for number in range(count)
    )


def forget_tasks() -> None:
    """Empty the tables of tasks, so that the next measurement starts as the first one did.

    Each by its name: edges, history and audit have no foreign key to follow.
    """
    rows(
        "TRUNCATE tasker_tasks, tasker_workflow_steps, tasker_workflow_step_edges,"
        " tasker_task_transitions, tasker_workflow_step_transitions,"
        " tasker_workflow_step_result_audit CASCADE"
    )
    purge_queues()


def purge_queues() -> None:
    """Throw away all messages, so that no queue is too full for the next measurement."""
    for (queue,) in rows("SELECT queue_name FROM pgmq.list_queues()"):
        value("SELECT pgmq.purge_queue(%(queue)s)", queue=queue)
