"""What a step costs that no machine changes: statements, round trips, transactions, rows, WAL.

The loops of a worker and an orchestrator are called one after the other, in the test's own thread;
only handlers run on another, as in a worker. What a process does besides (polls, heartbeats) is not
counted. `MOST` is what the engine may need: lower it whenever the engine needs less. `make profile`
says where a figure comes from.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.db import connections

from orchestration.client import create_task
from orchestration.conf import engine_settings, pool_settings
from orchestration.messaging.messages import RESULTS_QUEUE, worker_queue
from orchestration.models import Task
from orchestration.orchestrator import build_parts
from orchestration.process import Process
from orchestration.runtime.executor_pool import ExecutorPool
from orchestration.runtime.identity import identify_process
from orchestration.testing import linear
from templates_registry import registry
from templates_registry.conf import Range
from tests import wire
from workers.executor import Execution
from workers.registry import HandlerRegistry
from workers.worker import Worker, WorkerOptions

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = 4
SLOTS = 10
TEMPLATE = linear(STEPS, name="cost")
RUNS = 3  # the least of them counts: a page that is written for the first time costs extra WAL


class Measured(NamedTuple):
    """What something costs, and what was sent for it."""

    cost: "Cost"
    sent: list[str]


class Cost(NamedTuple):
    """What is counted, of one task while it is created, or of one step while it runs."""

    round_trips: float
    statements: float
    transactions: float
    rows_written: float
    wal_bytes: float


MOST = {  # as measured
    "creation of a task": Cost(4, 2, 1, 18, 7_400),
    "a step of one task alone": Cost(4, 2, 1.25, 11, 4_700),
    "a step of ten tasks at once": Cost(0.425, 0.225, 0.125, 11, 4_800),
}
WAL_TOLERANCE = 1.3  # it varies with the fill of pages, and a little between versions
WRITTEN = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
VISIBLE = "SELECT EXISTS (SELECT FROM pgmq.q_{} WHERE vt <= clock_timestamp())"
OWN_WAL = "SELECT wal_bytes FROM pg_stat_get_backend_wal(pg_backend_pid())"


class OneAfterTheOther:
    """Takes the place of a worker's handler threads: runs each claim to its end, on a thread."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def submit(self, execution: Execution) -> None:
        self._worker.slots.take(execution)
        thread = threading.Thread(target=self._worker.executor.run, args=[execution])
        thread.start()
        thread.join()
        self._worker.slots.free_slot(execution)

    def note_progress(self) -> None:
        """Nobody waits for it."""

    def check_stuck(self) -> None:
        """Nothing hangs."""


class Engine:
    """The loops of a worker and an orchestrator, wired as in their processes, without threads."""

    def __init__(self, ask_beside: Callable[[str], Any]) -> None:
        self.process = Process(identify_process("worker"), mode="PollingOnly", http_port=0)
        self.worker = Worker(
            self.process,
            WorkerOptions(
                namespaces=["test"],
                slots=Range(SLOTS, SLOTS),
                mode="PollingOnly",
                worker_id="",
                http_port=0,
                idle_seconds=3600.0,
                grace_seconds=0.0,
            ),
            namespaces=["test"],
            handlers=[],
        )
        self.worker.pool = OneAfterTheOther(self.worker)  # type: ignore[assignment]
        self.worker.presence.register()
        parts = build_parts(
            identify_process("orchestrator"),
            settings=engine_settings(),
            bounds=pool_settings(),
            poll_seconds=lambda: 3600.0,
        )
        [self.results] = [
            each for each in parts if isinstance(each, ExecutorPool) and each.name == "results"
        ]
        self._ask_beside = ask_beside

    def work_off(self) -> None:
        """Look where there is something, as who is notified does, until there is nothing."""
        while True:
            if self.worker.reporter.run_once():
                continue
            if self._has_messages(worker_queue("test")):
                self.worker.claimer.mark("test")
                self.worker.claimer.run_once()
            elif self._has_messages(RESULTS_QUEUE):
                self.results.run_once()
            else:
                return

    def _has_messages(self, queue: str) -> bool:
        return bool(self._ask_beside(VISIBLE.format(queue)))

    def close(self) -> None:
        self.worker.executor.close()
        self.process.shutdown.uninstall()


@pytest.fixture
def engine(second_connection: Callable[[str], Any]) -> Iterator[Engine]:
    HandlerRegistry.reset_instance()
    HandlerRegistry.instance().discover_handlers("workers.testing.built_in")
    assert registry.register(TEMPLATE).named_task_uuid
    engine = Engine(second_connection)
    yield engine
    engine.close()
    HandlerRegistry.reset_instance()


def ask(statement: str) -> float:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement)
        return float(cursor.fetchone()[0] or 0)


def server_version() -> int:
    connections["default"].ensure_connection()
    return int(connections["default"].connection.info.server_version) // 10_000


def written() -> tuple[float, float]:
    """Return rows and bytes of WAL written so far; 0 where the server does not tell them."""
    version = server_version()
    if version >= 15:
        ask("SELECT 1 FROM pg_stat_force_next_flush()")
    return ask(WRITTEN) if version >= 15 else 0.0, ask(OWN_WAL) if version >= 18 else 0.0


def cost_of(action: Callable[[], None], *, per: int) -> Measured:
    """Return what an action costs, divided."""
    rows_before, wal_before = written()
    with wire.counted() as counts:
        action()
    rows, wal = written()
    totals = (
        *(counts.round_trips, counts.statements, counts.transactions),
        *(rows - rows_before, wal - wal_before),
    )
    return Measured(Cost(*(total / per for total in totals)), counts.sent)


def run(engine: Engine, tasks: int) -> tuple[Measured, Measured]:
    """Create tasks and run them to their end; return the cost of a creation and of a step."""
    contexts = [{"name": uuid4().hex} for _ in range(tasks)]
    uuids = []

    def create() -> None:
        for context in contexts:
            uuids.append(create_task(TEMPLATE.name, namespace="test", context=context).task_uuid)

    created = cost_of(create, per=tasks)
    worked = cost_of(engine.work_off, per=tasks * STEPS)
    assert Task.objects.filter(pk__in=uuids, state="complete").count() == tasks
    return created, worked


def assert_within(name: str, measured: Sequence[Measured]) -> None:
    """Fail when the least of some measurements is more than it may be."""
    least = Cost(*(min(each) for each in zip(*(cost for cost, _ in measured), strict=True)))
    most = MOST[name]._replace(wal_bytes=MOST[name].wal_bytes * WAL_TOLERANCE)
    over = [key for key in Cost._fields if getattr(least, key) > getattr(most, key)]
    sent = "\n".join(measured[0].sent)
    assert not over, f"{name} costs too much ({', '.join(over)}):\n{least}, at most\n{most}\n{sent}"


def test_one_task_alone_costs_no_more_than_it_may(engine):
    run(engine, 1)

    costs = [run(engine, 1) for _ in range(RUNS)]

    assert_within("creation of a task", [created for created, _ in costs])
    assert_within("a step of one task alone", [worked for _, worked in costs])


def test_tasks_together_share_round_trips(engine):
    run(engine, SLOTS)

    costs = [run(engine, SLOTS) for _ in range(RUNS)]

    assert_within("a step of ten tasks at once", [worked for _, worked in costs])
