"""What a worker's probes say about its slots and its handlers."""

import time
from collections.abc import Sequence

from orchestration.health import DEGRADED, HEALTHY, UNHEALTHY, Verdict
from workers.worker import serving
from workers.worker.slots import Slots

LOOK_AGAIN_SECONDS = 30.0


def check_slots(slots: Slots) -> Verdict:
    """Slots are free, or there may be more of them."""
    message = f"{slots.running} of {slots.size} slots busy"
    if slots.are_reports_failing:
        return Verdict(UNHEALTHY, f"{message}; results cannot be stored")
    return Verdict(HEALTHY if slots.free or slots.can_grow else DEGRADED, message)


def check_stuck(slots: Slots) -> Verdict:
    """Handlers end when their time is up."""
    overdue = slots.overdue
    message = f"{overdue} of {slots.maximum} slots held by handlers past their timeout"
    if not overdue:
        return Verdict(HEALTHY, message)
    return Verdict(UNHEALTHY if overdue * 2 >= slots.maximum else DEGRADED, message)


class HandlersCheck:
    """All handlers of the served namespaces resolve; looked at anew every half minute."""

    def __init__(self, namespaces: Sequence[str]) -> None:
        """Check these namespaces."""
        self._namespaces = namespaces
        self._verdict: Verdict | None = None
        self._looked_at = 0.0

    def __call__(self) -> Verdict:
        """Return what was found."""
        now = time.monotonic()
        if self._verdict is None or now - self._looked_at >= LOOK_AGAIN_SECONDS:
            self._verdict = self._look()
            self._looked_at = now
        return self._verdict

    def _look(self) -> Verdict:
        missing = [
            reason for name in self._namespaces for reason in serving.unresolved_callables(name)
        ]
        if missing:
            return Verdict(UNHEALTHY, f"{len(missing)} callables do not resolve")
        return Verdict(HEALTHY, "all callables of the served namespaces resolve")
