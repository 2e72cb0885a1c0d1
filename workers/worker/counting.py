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
    for waited_ms in waits:
        metrics.STEP_QUEUE_WAIT.observe(waited_ms, namespace=namespace)
    for claim in claims:
        labels = {"namespace": namespace, "step": claim.template_step_name}
        metrics.STEPS_EXECUTED.add(**labels)
        if claim.attempts > 1:
            metrics.STEPS_RETRIED.add(**labels)


def running_by_namespace(slots: Slots) -> Values:
    """Return how many steps run now, by namespace."""
    found = Counter(each.claim.namespace for each in slots.held() if each.is_running)
    return [((namespace,), count) for namespace, count in found.items()]
