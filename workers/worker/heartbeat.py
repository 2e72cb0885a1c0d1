"""The heartbeat: one call prolongs the leases of all claims held, another keeps the registry row.

A claim missing in the answer is lost: its handler is told, its result will be dropped.
"""

import logging

from orchestration import metrics
from orchestration.process import Presence
from orchestration.queries.steps import extend_leases
from orchestration.runtime.loop import Loop
from workers import signals
from workers.executor import Execution
from workers.worker.slots import Slots

log = logging.getLogger(__name__)


class Heartbeat:
    """Keeps the claims and the row of one worker alive."""

    def __init__(
        self, slots: Slots, *, presence: Presence, heartbeat_seconds: float, lease_seconds: int
    ) -> None:
        """Beat every heartbeat_seconds; after an outage soon enough to save the leases."""
        self.loop = Loop("heartbeat", self.run_once, idle_seconds=heartbeat_seconds)
        self.loop.longest_pause_seconds = max(1.0, heartbeat_seconds / 2)
        self._slots = slots
        self._presence = presence
        self._lease_seconds = lease_seconds

    def run_once(self) -> int:
        """Prolong and report presence; returns 0 because the next beat has its own time."""
        held = self._slots.held()
        if held:
            keys = [(each.claim.workflow_step_uuid, each.claim.state_version) for each in held]
            kept = extend_leases(keys, lease_seconds=self._lease_seconds)
            for execution in held:
                if execution.claim.workflow_step_uuid in kept:
                    metrics.LEASES_EXTENDED.add(namespace=execution.claim.namespace)
                    log.debug("lease.extended", extra=execution.log_fields)
                else:
                    self._lose(execution)
        self._presence.beat()
        signals.announce(signals.worker_metrics, Heartbeat, lambda: {"metrics": metrics.snapshot()})
        return 0

    def _lose(self, execution: Execution) -> None:
        """Drop a lost claim; one whose handler has returned is judged by its own report."""
        if not execution.is_running or not self._slots.is_held(execution):
            return
        execution.cancel()
        self._slots.settle(execution)
        metrics.LEASES_EXPIRED.add(namespace=execution.claim.namespace)
        log.warning("lease.expired", extra=execution.log_fields)
