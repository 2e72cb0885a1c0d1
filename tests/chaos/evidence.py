"""What the database says after a run, read once; the judge compares it with the plan."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from orchestration.messaging.messages import REQUESTS_QUEUE, RESULTS_QUEUE
from tests.chaos.messages import WORKER_QUEUES

QUEUES = (*WORKER_QUEUES, RESULTS_QUEUE, REQUESTS_QUEUE)


class TaskRow(NamedTuple):
    """A task."""

    task_uuid: UUID
    key: str | None
    state: str
    template: str


class StepRow(NamedTuple):
    """A step; `reporter` is the worker that made the stored result."""

    step_uuid: UUID
    task_uuid: UUID
    name: str
    state: str
    attempts: int
    requeue_count: int
    value: int | None
    reporter: str | None


class HopRow(NamedTuple):
    """One move of a step."""

    step_uuid: UUID
    event: str
    to_state: str
    worker_uuid: UUID | None
    at: datetime


class ProcessRow(NamedTuple):
    """One start of one process."""

    worker_uuid: UUID
    name: str
    pid: int
    has_liveness_lock: bool


TASKS = """
SELECT t.task_uuid, t.idempotency_key, t.state, nt.name
FROM tasker_tasks AS t JOIN tasker_named_tasks AS nt USING (named_task_uuid)
"""
STEPS = """
SELECT
  workflow_step_uuid, task_uuid, name, state, attempts, requeue_count,
  (results #>> '{result,value}')::int, results #>> '{metadata,worker_id}'
FROM tasker_workflow_steps
"""
HOPS = """
SELECT workflow_step_uuid, event, to_state, worker_uuid, created_at
FROM tasker_workflow_step_transitions
ORDER BY workflow_step_uuid, sort_key
"""
PROCESSES = "SELECT worker_uuid, name, pid, has_liveness_lock FROM tasker_workers"
AUDITS = """
SELECT workflow_step_uuid, success, count(*)
FROM tasker_workflow_step_result_audit
GROUP BY 1, 2
"""
EFFECTS = "SELECT task_uuid, step_name, count(*) FROM chaos_effects GROUP BY 1, 2"
ORDERS = "SELECT key, count(*) FROM chaos_orders GROUP BY 1"
BURIED = "SELECT queue_name, msg_id FROM tasker_tasks_dlq WHERE queue_name IS NOT NULL"


@dataclass
class Evidence:
    """Everything that is needed to judge."""

    tasks: list[TaskRow]
    steps: dict[UUID, list[StepRow]]
    hops: dict[UUID, list[HopRow]]
    processes: list[ProcessRow]
    accepted: Counter[tuple[UUID, bool]]
    effects: Counter[tuple[UUID, str]]
    orders: Counter[str]
    buried: set[tuple[str, int]]
    left: dict[str, int]
    by_uuid: dict[UUID, ProcessRow] = field(init=False)

    def __post_init__(self) -> None:
        self.by_uuid = {each.worker_uuid: each for each in self.processes}


def collect(connection: Any) -> Evidence:
    """Read the evidence."""

    def rows(statement: str) -> list[Any]:
        found: list[Any] = connection.execute(statement).fetchall()
        return found

    steps: dict[UUID, list[StepRow]] = defaultdict(list)
    for step in map(StepRow._make, rows(STEPS)):
        steps[step.task_uuid].append(step)
    hops: dict[UUID, list[HopRow]] = defaultdict(list)
    for hop in map(HopRow._make, rows(HOPS)):
        hops[hop.step_uuid].append(hop)
    return Evidence(
        tasks=[TaskRow._make(row) for row in rows(TASKS)],
        steps=steps,
        hops=hops,
        processes=[ProcessRow._make(row) for row in rows(PROCESSES)],
        accepted=Counter({(step, success): n for step, success, n in rows(AUDITS)}),
        effects=Counter({(task, name): n for task, name, n in rows(EFFECTS)}),
        orders=Counter(dict(rows(ORDERS))),
        buried=set(rows(BURIED)),
        left=queue_depths(connection),
    )


def queue_depths(connection: Any) -> dict[str, int]:
    """Return how many messages are in each queue of the run."""
    return {
        queue: connection.execute(f"SELECT count(*) FROM pgmq.q_{queue}").fetchone()[0]  # noqa: S608
        for queue in QUEUES
    }
