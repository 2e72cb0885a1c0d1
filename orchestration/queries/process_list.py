"""Process rows as people look at them: who runs, what it serves, whether it was heard lately.

Reads only. A process that says it runs and was not heard for some heartbeats is `stale`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, CharField, F, Q, QuerySet, Value, When

from orchestration.models import ProcessKind, ProcessStatus, TaskerProcess
from orchestration.queries.scope import Scope
from templates_registry.models import TaskerNow

STALE = "stale"
LIVE = (ProcessStatus.RUNNING, ProcessStatus.DRAINING)
MOST_PROCESSES = 1000


class ProcessLook(NamedTuple):
    """One process; `namespaces` are those that the reader sees."""

    worker_uuid: UUID
    kind: str
    name: str
    hostname: str
    pid: int
    version: str
    environment: str
    namespaces: list[str]
    deployment_mode: str
    status: str
    slots: int
    running: int
    started_at: datetime
    last_heartbeat_at: datetime
    report: dict[str, Any]

    @property
    def is_stale(self) -> bool:
        """It was not heard lately."""
        return self.status == STALE


def find_processes(
    scope: Scope, *, fresh_seconds: float, namespace: str | None = None
) -> list[ProcessLook]:
    """Return the processes that run or should, by kind and name.

    Orchestrators serve everybody; a worker is seen by whoever sees one of its namespaces.
    """
    rows = _rows(TaskerProcess.objects.filter(status__in=LIVE), fresh_seconds)
    seen = [_in_scope(row, scope) for row in rows]
    return [
        row
        for row in seen
        if row is not None and (namespace is None or namespace in row.namespaces)
    ]


def find_process(given: str | UUID, *, fresh_seconds: float) -> ProcessLook | None:
    """Return one process by uuid, or the youngest of a name, whether it runs or not."""
    is_named = Q(worker_uuid=given) if isinstance(given, UUID) else Q(name=given)
    found = TaskerProcess.objects.filter(is_named).order_by("-started_at")
    rows = _rows(found, fresh_seconds)
    return rows[0] if rows else None


def _in_scope(row: ProcessLook, scope: Scope) -> ProcessLook | None:
    if scope.is_everything:
        return row
    namespaces = [name for name in row.namespaces if scope.includes(name)]
    if not namespaces and row.kind == ProcessKind.WORKER:
        return None
    return row._replace(namespaces=namespaces)


def _rows(processes: QuerySet[TaskerProcess], fresh_seconds: float) -> Sequence[ProcessLook]:
    is_silent = Q(
        status__in=LIVE, last_heartbeat_at__lte=TaskerNow() - timedelta(seconds=fresh_seconds)
    )
    status = Case(When(is_silent, then=Value(STALE)), default=F("status"), output_field=CharField())
    columns = [status if name == "status" else F(name) for name in ProcessLook._fields]
    ordered = processes if processes.ordered else processes.order_by("kind", "name", "worker_uuid")
    return [ProcessLook._make(row) for row in ordered.values_list(*columns)[:MOST_PROCESSES]]
