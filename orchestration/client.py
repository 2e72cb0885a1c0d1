"""The public Python door: create tasks and look at them, inside the caller's transaction.

    from orchestration.client import create_task

    with transaction.atomic():
        order.save()
        create_task("process_order", namespace="order_fulfillment", context={"order_id": order.pk})

The task exists, and its first step can be claimed, exactly when the caller's transaction commits.
`create_tasks` makes thousands of them for the price of a few statements.
"""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from orchestration import backpressure
from orchestration.errors import NotFoundError
from orchestration.lifecycle import operator_actions, task_initializer
from orchestration.lifecycle.operator_actions import Acted
from orchestration.lifecycle.task_initializer import CreatedTask
from orchestration.lifecycle.task_request import TaskRequest, parse_all, place_of
from orchestration.messaging import pgmq
from orchestration.messaging.messages import REQUESTS_QUEUE
from orchestration.models import Task
from orchestration.queries import readiness
from orchestration.queries.readiness import TaskContext

__all__ = [
    "Acted",
    "CreatedTask",
    "TaskContext",
    "cancel_task",
    "create_task",
    "create_tasks",
    "get_context",
    "get_task",
    "request_task",
]
KEYWORDS = frozenset(TaskRequest.model_fields)


def create_task(
    name: str,
    *,
    namespace: str = "default",
    context: dict[str, Any] | None = None,
    start: bool = True,
    actor: str | None = None,
    respect_backpressure: bool = False,
    **request: Any,
) -> CreatedTask:
    """Create a task of a template in the current transaction.

    Further keywords are those of the API: version, priority, tags, idempotency_key, initiator,
    source_system, reason, correlation_id, parent_correlation_id, options, bypass_steps,
    requested_at. With `start=False` the task waits for discovery. Raises `InvalidRequestError`,
    `NotFoundError` (no such template) and `DuplicateTaskError`; then nothing was written.

    With `respect_backpressure` also `BackpressureError` (the namespace has too much to do, or the
    engine is late) and `CircuitOpenError` (the database or the queues have failed repeatedly and
    are not tried); both carry `retry_after_seconds`. Without it a creation is never turned away.
    """
    unknown = sorted(request.keys() - KEYWORDS)
    if unknown:
        raise TypeError(f"create_task() knows no keyword {', '.join(unknown)}")
    body = {"source_system": "python", **request}
    parsed = TaskRequest.parse({**body, "name": name, "namespace": namespace, "context": context})
    admission = backpressure.admit(parsed.namespace) if respect_backpressure else nullcontext()
    with admission:
        return task_initializer.create(parsed, actor=actor or parsed.initiator, start=start)


def create_tasks(
    requests: Iterable[Mapping[str, Any]],
    *,
    start: bool = True,
    actor: str | None = None,
    respect_backpressure: bool = False,
) -> list[CreatedTask]:
    """Create many tasks in the current transaction, all or none; answers stand in their order.

    A request has the keywords of `create_task`: `{"name": …, "namespace": …, "context": …}`. Each
    is treated as there, also one that repeats another of the same call; an error names its place,
    as in `tasks[3].context`, and then nothing was written, in the caller's transaction neither.
    """
    bodies = [dict(request) for request in requests]
    for number, body in enumerate(bodies):
        if unknown := sorted(body.keys() - KEYWORDS):
            place = place_of(number)
            raise TypeError(f"create_tasks() knows no keyword {', '.join(unknown)} ({place})")
    parsed = parse_all({"source_system": "python", **body} for body in bodies)
    namespaces = dict.fromkeys(request.namespace for request in parsed)
    is_asked = respect_backpressure and namespaces
    with backpressure.admit(*namespaces) if is_asked else nullcontext():
        return task_initializer.create_many(parsed, actor=actor, start=start)


def request_task(name: str, **request: Any) -> int:
    """Ask for a task through the queue; an orchestrator creates it. Return the message's id."""
    return pgmq.send(REQUESTS_QUEUE, {"task_request": {"name": name, **request}, "metadata": {}})


def get_task(task_uuid: UUID) -> Task:
    """Return a task; raise `NotFoundError` for an unknown one."""
    try:
        return Task.objects.select_related("named_task__task_namespace").get(pk=task_uuid)
    except Task.DoesNotExist as error:
        raise NotFoundError(f"There is no task {task_uuid}") from error


def get_context(task_uuid: UUID) -> TaskContext:
    """Return what a task's steps add up to; raise `NotFoundError` for an unknown one."""
    contexts = readiness.task_contexts([task_uuid])
    if not contexts:
        raise NotFoundError(f"There is no task {task_uuid}")
    return contexts[0]


def cancel_task(task_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Call a task off; raise `ActionRefusedError` when it is finished."""
    return operator_actions.cancel_task(task_uuid, actor=actor, reason=reason)
