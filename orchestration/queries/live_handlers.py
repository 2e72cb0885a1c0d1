"""What the live workers can run: which namespaces they serve, which callables they registered.

Reads only. A worker is live while it was heard of lately; how lately is the caller's to say.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from orchestration.models import ProcessKind, ProcessStatus, TaskerProcess
from orchestration.queries.scope import Scope

FRESH_STATES = (ProcessStatus.RUNNING, ProcessStatus.DRAINING)


class Service(NamedTuple):
    """What one live worker serves."""

    namespaces: frozenset[str]
    handlers: frozenset[str]


class LiveHandler(NamedTuple):
    """A callable, and the live workers that registered it."""

    callable: str
    namespaces: list[str]
    workers: int


def live_services(*, within_seconds: float) -> list[Service]:
    """Return what each worker serves that was heard of within so many seconds, in one query."""
    rows = TaskerProcess.objects.filter(
        kind=ProcessKind.WORKER,
        status__in=FRESH_STATES,
        last_heartbeat_at__gte=timezone.now() - timedelta(seconds=within_seconds),
    ).values_list("namespaces", "handlers")
    return [Service(frozenset(names), frozenset(handlers)) for names, handlers in rows]


def live_handlers(
    services: Iterable[Service], scope: Scope, *, namespace: str | None = None
) -> list[LiveHandler]:
    """Return the callables of the services in the namespaces that are seen, by name.

    A worker that serves none of these namespaces is left out, and so are its other namespaces.
    """
    found: dict[str, list[frozenset[str]]] = {}
    for service in services:
        seen = frozenset(
            each
            for each in service.namespaces
            if scope.includes(each) and namespace in (None, each)
        )
        for handler in service.handlers if seen else ():
            found.setdefault(handler, []).append(seen)
    return [
        LiveHandler(name, sorted(frozenset[str]().union(*found[name])), len(found[name]))
        for name in sorted(found)
    ]


def missing_callables(
    namespace: str, callables: Iterable[str], services: Iterable[Service]
) -> list[str] | None:
    """Return the callables that no live worker of a namespace has; None without such a worker."""
    serving = [each for each in services if namespace in each.namespaces]
    if not serving:
        return None
    known = frozenset[str]().union(*(each.handlers for each in serving))
    return sorted(set(callables) - known)
