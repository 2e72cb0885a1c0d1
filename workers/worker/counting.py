"""What a worker counts about the steps that it claims."""

from collections import Counter
from collections.abc import Sequence

from orchestration import metrics
from orchestration.messaging.messages import worker_queue
from orchestration.metrics.kinds import Values
from orchestration.queries.steps import Claim
from orchestration.runtime.queue_use import note_received
from workers.worker.slots import Slots


def count_claims(claims: Sequence[Claim], namespace: str, *, method: str, seconds: float) -> None:
    """Count the claims of one look into a queue."""
    metrics.STEP_CLAIM_DURATION.observe(seconds * 1000, namespace=namespace, claim_method=method)
    if not claims:
        return
    metrics.STEPS_CLAIMED.add(len(claims), namespace=namespace, claim_method=method)
    waits = [claim.waited_ms for claim in claims if claim.waited_ms is not None]
    note_received(worker_queue(namespace), len(claims), waited_ms=waits)
    metrics.STEP_QUEUE_WAIT.observe_all(waits, namespace=namespace)
    for step, count in Counter(claim.template_step_name for claim in claims).items():
        metrics.STEPS_EXECUTED.add(count, namespace=namespace, step=step)
    retried = Counter(claim.template_step_name for claim in claims if claim.attempts > 1)
    for step, count in retried.items():
        metrics.STEPS_RETRIED.add(count, namespace=namespace, step=step)


def running_by_namespace(slots: Slots) -> Values:
    """Return how many steps run now, by namespace."""
    found = Counter(each.claim.namespace for each in slots.held() if each.is_running)
    return [((namespace,), count) for namespace, count in found.items()]
