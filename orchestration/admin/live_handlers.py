"""What the live workers can run: which namespaces they serve, which callables they registered."""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from orchestration.health import fresh_seconds
from orchestration.models import ProcessKind, ProcessStatus, TaskerProcess

FRESH_STATES = (ProcessStatus.RUNNING, ProcessStatus.DRAINING)


class Service(NamedTuple):
    """What one live worker serves."""

    namespaces: frozenset[str]
    handlers: frozenset[str]


def live_services() -> list[Service]:
    """Return what each live worker serves, in one query."""
    rows = TaskerProcess.objects.filter(
        kind=ProcessKind.WORKER,
        status__in=FRESH_STATES,
        last_heartbeat_at__gte=timezone.now() - timedelta(seconds=fresh_seconds()),
    ).values_list("namespaces", "handlers")
    return [Service(frozenset(names), frozenset(handlers)) for names, handlers in rows]


def missing_callables(
    namespace: str, callables: Iterable[str], services: Iterable[Service]
) -> list[str] | None:
    """Return the callables that no live worker of a namespace has; None without such a worker."""
    serving = [each for each in services if namespace in each.namespaces]
    if not serving:
        return None
    known = frozenset[str]().union(*(each.handlers for each in serving))
    return sorted(set(callables) - known)
