"""Ready steps go to the worker queues of their namespaces.

A step is ready when it is pending or its retry is due, its counters allow another attempt, and
every parent is complete or resolved. One statement finds them, sends one batch of messages per
queue and moves them; a batch of one task and of two hundred is the same code.

Queues are first in, first out. So that a task with thousands of ready steps keeps nobody waiting,
it has a limited number of them in flight; each that ends lets the next one in.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from orchestration.queries import steps
from orchestration.queries.steps import EnqueuedStep

log = logging.getLogger(__name__)


def enqueue_ready_steps(
    task_uuids: Sequence[UUID], *, limit: int | None = None
) -> list[EnqueuedStep]:
    """Enqueue the ready steps of the given tasks, which the caller has locked.

    With a limit, as many as leave each task with so many steps in flight, by priority and name.
    Joins the caller's transaction: messages and moves commit together, workers are notified then.
    """
    enqueued = steps.enqueue_ready_steps(task_uuids, limit=limit)
    for step in enqueued:
        log.debug(
            "step.enqueued",
            extra={
                "task_uuid": step.task_uuid,
                "step_uuid": step.workflow_step_uuid,
                "queue": step.queue_name,
            },
        )
    return enqueued
