"""Ready steps go to the worker queues of their namespaces.

A step is ready when it is pending or its retry is due, its counters allow another attempt, and
every parent is complete or resolved. One statement finds them, sends one batch of messages per
queue and moves them; a batch of one task and of two hundred is the same code.

Queues are first in, first out. So that a task with thousands of ready steps keeps nobody waiting,
it has a limited number of them in flight; each that ends lets the next one in.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from orchestration import metrics
from orchestration.messaging.messages import namespace_of
from orchestration.queries import steps
from orchestration.queries.steps import EnqueuedStep
from orchestration.runtime.log_context import log_often

log = logging.getLogger(__name__)


def enqueue_ready_steps(
    correlations: Mapping[UUID, UUID],
    *,
    limit: int | None = None,
    done: Sequence[UUID] | None = None,
) -> list[EnqueuedStep]:
    """Enqueue the ready steps of tasks, given with their correlation ids; the caller holds them.

    With a limit, as many as leave each task with so many steps in flight, by priority and name.
    With `done`, only what can have become ready because these steps are complete. Joins the
    caller's transaction: messages and moves commit together, workers are notified then.
    """
    enqueued = steps.enqueue_ready_steps(list(correlations), limit=limit, done=done)
    note_enqueued(enqueued, correlations)
    return enqueued


def note_enqueued(enqueued: Sequence[EnqueuedStep], correlations: Mapping[UUID, UUID]) -> None:
    """Count and log steps that went to their queues, with the correlation ids of their tasks."""
    for queue, count in Counter(step.queue_name for step in enqueued).items():
        metrics.STEPS_ENQUEUED.add(count, namespace=namespace_of(queue))
        metrics.MESSAGES_SENT.add(count, queue=queue)
    if not log.isEnabledFor(logging.INFO):
        return
    for step in enqueued:
        log_often(
            log,
            "step.enqueued",
            {
                "correlation_id": str(correlations[step.task_uuid]),
                "task_uuid": str(step.task_uuid),
                "step_uuid": str(step.workflow_step_uuid),
                "namespace": namespace_of(step.queue_name),
                "queue": step.queue_name,
            },
        )
