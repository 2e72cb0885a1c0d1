"""What follows when a report let its task go on without an orchestrator: counters and log lines."""

from orchestration import metrics
from orchestration.messaging.messages import worker_queue
from orchestration.queries.steps import Claim
from orchestration.runtime.task_ends import is_logged, note_end


def note_advance(claim: Claim, task_state: str, *, enqueued_steps: int) -> None:
    """Note where a task is now, and how many of its steps were enqueued."""
    namespace = claim.namespace
    if enqueued_steps:
        metrics.STEPS_ENQUEUED.add(enqueued_steps, namespace=namespace)
        metrics.MESSAGES_SENT.add(enqueued_steps, queue=worker_queue(namespace))
    if not is_logged(task_state):  # of most steps; what follows costs them something
        return
    note_end(
        task_state,
        namespace=namespace,
        task=claim.task_name,
        created_at=claim.task_created_at,
        log_fields={
            "correlation_id": str(claim.correlation_id),
            "task_uuid": str(claim.task_uuid),
            "namespace": namespace,
        },
    )
