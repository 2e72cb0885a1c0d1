"""The page of the queues: how deep, how old, how fast, and who takes from them."""

import threading
import time
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin.live_handlers import live_services
from orchestration.admin.live_page import live_page
from orchestration.admin.pages import demand, fragment
from orchestration.admin.visibility import scope_of
from orchestration.conf import Tier, protection_settings
from orchestration.health import fresh_seconds
from orchestration.messaging.messages import ORCHESTRATION_QUEUES, worker_queue
from orchestration.queries.processes import fresh_orchestrators
from orchestration.queries.queue_table import QueueRow, all_queues

SHORTEST_SECONDS = 2.0


class Rate(NamedTuple):
    """Messages sent and taken per second."""

    sent: float
    taken: float


class RateMeter:
    """Rates from counters: what was added between two looks of this web process."""

    def __init__(self) -> None:
        """Know nothing yet: the first look has no rates."""
        self._lock = threading.Lock()
        self._before: dict[str, tuple[float, QueueRow]] = {}
        self._rates: dict[str, Rate] = {}

    def look(self, rows: list[QueueRow]) -> dict[str, Rate]:
        """Take new counters and return the rates of the last interval that was long enough."""
        now = time.monotonic()
        with self._lock:
            for row in rows:
                before = self._before.get(row.name)
                if before is None:
                    self._before[row.name] = now, row
                elif (seconds := now - before[0]) >= SHORTEST_SECONDS:
                    self._rates[row.name] = Rate(
                        max(row.sent - before[1].sent, 0) / seconds,
                        max(row.taken - before[1].taken, 0) / seconds,
                    )
                    self._before[row.name] = now, row
            return dict(self._rates)


class QueueLine(NamedTuple):
    """One row of the page."""

    row: QueueRow
    in_flight: int
    tier: str
    rate: Rate | None
    consumers: int
    is_alone: bool


_meter = RateMeter()


def view(request: HttpRequest) -> HttpResponse:
    """Show the page, or its live part."""
    demand(request, Permission.SYSTEM_HANDLERS_READ)
    return live_page(request, "Queues", "the queues", lambda: _table(request))


def _table(request: HttpRequest) -> SafeString:
    rows = all_queues(ORCHESTRATION_QUEUES)
    rates = _meter.look(rows)
    scope = scope_of(request)
    if not scope.is_everything:
        seen = {worker_queue(name) for name in scope.as_parameter() or ()}
        rows = [row for row in rows if row.name in seen]
    services = live_services()
    orchestrators = len(fresh_orchestrators(within_seconds=fresh_seconds()))
    lines = []
    for row in rows:
        taken_by = sum(
            any(worker_queue(name) == row.name for name in each.namespaces) for each in services
        )
        consumers = orchestrators if row.name in ORCHESTRATION_QUEUES else taken_by
        tier = protection_settings().tier_of(row.depth)
        lines.append(
            QueueLine(
                row,
                row.depth - row.visible,
                "" if tier is Tier.NORMAL else tier.name.lower(),
                rates.get(row.name),
                consumers,
                is_alone=row.depth > 0 and not consumers,
            )
        )
    return fragment("queue_table", lines=lines)
