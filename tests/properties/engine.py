"""The engine's side: rows and messages as the model has them, and clean tables."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import connections, transaction

from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import WorkflowStep
from tests.factories.histories import LETTERS, SHORT

NAMESPACES = ("test", "other")
Message = tuple[UUID, int]
"""What a result message says: uuid and version of a step."""
OWN_TABLES = (
    "tasker_workflow_step_result_audit",
    "tasker_workflow_step_transitions",
    "tasker_task_transitions",
    "tasker_workflow_step_edges",
    "tasker_tasks_dlq",
    "tasker_workflow_steps",
    "tasker_tasks",
    "tasker_template_revisions",
    "tasker_named_tasks_named_steps",
    "tasker_named_tasks",
)


class TaskRow(NamedTuple):
    """What is compared of a task."""

    state: str
    version: int
    is_completed: bool


class StepRow(NamedTuple):
    """What is compared of a step; times in ms since the start."""

    state: str
    version: int
    attempts: int
    requeues: int
    due: int | None
    lease: int | None
    has_queue_id: bool


def ask(statement: str, *parameters: Any) -> list[Any]:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


class Picture(NamedTuple):
    """Everything that is compared, read by one statement."""

    tasks: dict[UUID, TaskRow]
    steps: dict[UUID, StepRow]
    lengths: list[int]
    """Messages in the worker queue of each namespace."""
    results: list[Message | None]
    """Result messages in the order of the queue; None for one that names no step."""


PICTURE = """
SELECT
  (
    SELECT json_agg(json_build_array(task_uuid, state, state_version, completed_at IS NOT NULL))
    FROM tasker_tasks
  ),
  (
    SELECT json_agg(json_build_array(
      workflow_step_uuid, state, state_version, attempts, requeue_count,
      round(extract(epoch FROM next_retry_at - %s::timestamptz) * 1000)::bigint,
      round(extract(epoch FROM lease_until - %s::timestamptz) * 1000)::bigint,
      queue_msg_id IS NOT NULL
    ))
    FROM tasker_workflow_steps
  ),
  json_build_array(
    (SELECT count(*) FROM pgmq.q_worker_test_queue),
    (SELECT count(*) FROM pgmq.q_worker_other_queue)
  ),
  (
    SELECT json_agg(
      json_build_array(message -> 'step_uuid', message -> 'state_version') ORDER BY msg_id
    )
    FROM pgmq.q_orchestration_step_results
  )
"""


def take_picture(start: datetime) -> Picture:
    tasks, steps, lengths, results = ask(PICTURE, start, start)[0]
    return Picture(
        {UUID(uuid): TaskRow(LETTERS[state], *rest) for uuid, state, *rest in tasks or ()},
        {UUID(uuid): StepRow(SHORT.get(state, state), *rest) for uuid, state, *rest in steps or ()},
        lengths,
        [(UUID(step), version) if version is not None else None for step, version in results or ()],
    )


def step_uuids(task_uuid: UUID) -> dict[str, UUID]:
    return dict(WorkflowStep.objects.filter(task_id=task_uuid).values_list("name", "pk"))


# ------------------------------------------------------------ queues


def send_result(message: dict[str, Any]) -> None:
    ask("SELECT pgmq.send(%s, %s::jsonb)", RESULTS_QUEUE, json.dumps(message))


def send_result_again(task_uuid: UUID, step_uuid: UUID, version: int) -> None:
    """Send a result message as a worker would that does not know that it has."""
    uuids = {"task_uuid": str(task_uuid), "step_uuid": str(step_uuid)}
    send_result(uuids | {"correlation_id": str(uuid4()), "state_version": version})


def send_step_again(namespace: str, step_uuid: UUID) -> None:
    queue = f"worker_{namespace}_queue"
    named = f"SELECT message FROM pgmq.q_{queue} WHERE message ->> 'step_uuid' = %s"  # noqa: S608
    ask(f"SELECT pgmq.send(%s, message) FROM ({named}) AS x", queue, str(step_uuid))  # noqa: S608


def cancel_by_hand(step_uuid: UUID) -> None:
    """Move a step as somebody in psql would."""
    ask(
        "UPDATE tasker_workflow_steps SET state = 'cancelled' WHERE workflow_step_uuid = %s",
        step_uuid,
    )


def purge(queue: str) -> None:
    ask("SELECT pgmq.purge_queue(%s)", queue)


# ------------------------------------------------------------ transactions


def be_quick() -> None:
    """Commit without waiting for the disk: no example outlives its server."""
    ask("SET synchronous_commit = off")


@contextmanager
def crash() -> Iterator[None]:
    """Let everything within happen in one transaction that is never committed."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def forget_everything() -> None:
    """Delete all tasks, templates and messages; queues and namespaces stay."""
    with transaction.atomic():
        for table in OWN_TABLES:
            ask(f"DELETE FROM {table}")  # noqa: S608
        for namespace in NAMESPACES:
            purge(f"worker_{namespace}_queue")
        purge(RESULTS_QUEUE)
        ask(f"DELETE FROM pgmq.a_{RESULTS_QUEUE}")  # noqa: S608


def run(script: str) -> None:
    """Run SQL that takes no parameters."""
    with connections["default"].cursor() as cursor:
        cursor.execute(script)
