"""What a worker's probes say about its slots, its queues, its templates and their handlers."""

import time
from collections.abc import Callable, Sequence

from orchestration.conf import protection_settings
from orchestration.health import DEGRADED, HEALTHY, UNHEALTHY, Verdict
from orchestration.queries import pressure
from workers.worker import serving
from workers.worker.slots import Slots

LOOK_AGAIN_SECONDS = 30.0
TIMEOUTS_WITHOUT_END = 10
"""So many times the longest timeout of a step without any end means that nothing ends any more."""


def check_stuck(slots: Slots) -> Verdict:
    """Handlers end when their time is up."""
    overdue = slots.overdue
    message = f"{overdue} of {slots.maximum} slots held by handlers past their timeout"
    if not overdue:
        return Verdict(HEALTHY, message)
    return Verdict(UNHEALTHY if overdue * 2 >= slots.maximum else DEGRADED, message)


class ServedTemplates:
    """The templates of the served namespaces and their handlers; looked at every half minute."""

    def __init__(
        self, namespaces: Sequence[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Look at nothing yet."""
        self._namespaces = namespaces
        self._clock = clock
        self._found: serving.Served | None = None
        self._looked_at = 0.0

    def look(self) -> serving.Served:
        """Return what was found."""
        now = self._clock()
        if self._found is None or now - self._looked_at >= LOOK_AGAIN_SECONDS:
            self._found = serving.look_at(self._namespaces)
            self._looked_at = now
        return self._found

    def check_templates(self) -> Verdict:
        """All templates of the served namespaces can be read."""
        found = self.look()
        if found.unreadable:
            said = f"{found.unreadable} of {found.templates} templates cannot be read"
            return Verdict(UNHEALTHY, said)
        return Verdict(HEALTHY, f"{found.templates} templates can be read")

    def check_handlers(self) -> Verdict:
        """All handlers of the served namespaces resolve."""
        if missing := self.look().unresolved:
            return Verdict(UNHEALTHY, f"{missing} callables do not resolve")
        return Verdict(HEALTHY, "all callables of the served namespaces resolve")


class ProcessingCheck:
    """Work moves through the slots and does not pile up before them."""

    def __init__(
        self, slots: Slots, namespaces: Sequence[str], *, longest_timeout: Callable[[], int]
    ) -> None:
        """Watch these slots and the queues of these namespaces."""
        self._slots = slots
        self._namespaces = list(namespaces)
        self._longest_timeout = longest_timeout

    def __call__(self) -> Verdict:
        """Return what was found; the queues are asked only while no slot is free."""
        slots = self._slots
        message = f"{slots.running} of {slots.size} slots busy"
        if slots.are_reports_failing:
            return Verdict(UNHEALTHY, f"{message}; results cannot be stored")
        quiet = slots.seconds_without_end
        if quiet > TIMEOUTS_WITHOUT_END * self._longest_timeout():
            return Verdict(UNHEALTHY, f"{message}; nothing has ended for {quiet:.0f} s")
        if slots.free or slots.can_grow:
            return Verdict(HEALTHY, message)
        warning = protection_settings().queue_warning
        if pressure.messages_for(self._namespaces, limit=warning + 1) <= warning:
            return Verdict(HEALTHY, message)
        return Verdict(DEGRADED, f"{message}; more than {warning} messages wait")
