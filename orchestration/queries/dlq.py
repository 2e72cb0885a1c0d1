"""The register of investigations: open an entry, look at entries, hold one to change it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Avg, Case, CharField, Count, F, Func, Max, Min, Q, QuerySet, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from orchestration import sql
from orchestration.models import DlqEntry, DlqResolution
from orchestration.queries.scope import Scope
from templates_registry.models import TaskerNow


class EntryRow(NamedTuple):
    """One entry; without a task when it was purged, or when a message named none."""

    dlq_entry_uuid: UUID
    task_uuid: UUID | None
    original_state: str | None
    dlq_reason: str
    dlq_timestamp: datetime
    resolution_status: str
    resolution_timestamp: datetime | None
    resolution_notes: str | None
    resolved_by: str | None
    task_snapshot: dict[str, Any]
    queue_name: str | None
    msg_id: int | None
    message: Any
    metadata: dict[str, Any]


class EntryPage(NamedTuple):
    """Some entries, newest first, and how many the filter keeps in all."""

    rows: list[EntryRow]
    total_count: int


class Urgency(NamedTuple):
    """The place of a pending entry in the queue of investigations."""

    dlq_entry_uuid: UUID
    minutes_in_dlq: Decimal
    priority_score: Decimal


class QueuedEntry(NamedTuple):
    """A pending entry with its urgency."""

    entry: EntryRow
    urgency: Urgency


class ReasonStats(NamedTuple):
    """All entries of one reason, by how they ended."""

    dlq_reason: str
    total: int
    pending: int
    manually_resolved: int
    permanently_failed: int
    cancelled: int
    oldest_entry: datetime
    newest_entry: datetime
    avg_resolution_minutes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """What a list of entries is narrowed to; an empty field narrows nothing."""

    resolutions: Sequence[str] = ()
    reasons: Sequence[str] = ()
    namespace: str | None = None


_OF_QUEUE = Func(F("queue_name"), function="extract_queue_namespace", output_field=CharField())
# Where an entry belongs: to its task; to the task it was about, when that is purged; to its queue.
_OF_TASK = (F("task__named_task__task_namespace__name"), KT("task_snapshot__namespace"))
_NAMESPACE = Coalesce(
    *_OF_TASK,
    Case(When(queue_name__isnull=False, then=_OF_QUEUE), default=None),
    output_field=CharField(),
)
# Who sees an entry: the queues of the engine carry everybody's messages, so nobody with a scope.
_SEEN_BY = Coalesce(
    *_OF_TASK,
    Case(
        When(Q(queue_name__isnull=True) | Q(queue_name__startswith="orchestration"), then=None),
        default=_OF_QUEUE,
    ),
    output_field=CharField(),
)


def create_entry(task_uuid: UUID, *, reason: str, metadata: dict[str, Any]) -> UUID | None:
    """Open an entry with a snapshot of the task; None when a pending one exists."""
    entry: UUID | None = sql.scalar(
        "dlq/create_entry", task_uuid=task_uuid, reason=reason, metadata=json.dumps(metadata)
    )
    return entry


def has_entry(entry_uuid: UUID, scope: Scope) -> bool:
    """Tell whether there is such an entry, and it is seen."""
    return _seen(scope).filter(pk=entry_uuid).exists()


def find_entries(wanted: EntryFilter, scope: Scope, *, limit: int, offset: int) -> EntryPage:
    """Return entries, newest first."""
    kept = _seen(scope)
    if wanted.resolutions:
        kept = kept.filter(resolution_status__in=wanted.resolutions)
    if wanted.reasons:
        kept = kept.filter(dlq_reason__in=wanted.reasons)
    if wanted.namespace is not None:
        kept = kept.alias(namespace=_NAMESPACE).filter(namespace=wanted.namespace)
    ordered = kept.order_by("-dlq_timestamp", "-dlq_entry_uuid")
    return EntryPage(_rows(ordered[offset : offset + limit]), kept.count())


def find_entry(entry_uuid: UUID, scope: Scope) -> EntryRow | None:
    """Return one entry, None for one that is unknown or not seen."""
    rows = _rows(_seen(scope).filter(pk=entry_uuid))
    return rows[0] if rows else None


def entry_of_task(task_uuid: UUID, scope: Scope) -> EntryRow | None:
    """Return a task's pending entry, else its newest; None without one that is seen."""
    pending = Case(When(resolution_status=DlqResolution.PENDING, then=0), default=1)
    entries = _seen(scope).filter(task=task_uuid)
    rows = _rows(entries.order_by(pending, "-dlq_timestamp", "-dlq_entry_uuid")[:1])
    return rows[0] if rows else None


def investigation_queue(scope: Scope, *, limit: int) -> list[QueuedEntry]:
    """Return the pending entries, the most pressing first."""
    pending = _seen(scope).filter(resolution_status=DlqResolution.PENDING)
    seen = None if scope.is_everything else list(pending.values_list("pk", flat=True))
    queue = sql.fetch(Urgency, "dlq/investigation_queue", limit=limit, seen=seen)
    rows = _rows(DlqEntry.objects.filter(pk__in=[place.dlq_entry_uuid for place in queue]))
    entries = {row.dlq_entry_uuid: row for row in rows}
    return [
        QueuedEntry(entries[place.dlq_entry_uuid], place)
        for place in queue
        if place.dlq_entry_uuid in entries  # purged in between
    ]


def stats(scope: Scope) -> list[ReasonStats]:
    """Return one row for each reason that there is an entry for.

    The view `tasker_dlq_dashboard` says the same to whoever sees everything.
    """
    counts = {each.value: Count("pk", filter=Q(resolution_status=each)) for each in DlqResolution}
    columns = [name for name in ReasonStats._fields if name != "avg_resolution_minutes"]
    rows = _seen(scope).values("dlq_reason").order_by("dlq_reason")
    rows = rows.annotate(
        total=Count("pk"),
        **counts,
        oldest_entry=Min("dlq_timestamp"),
        newest_entry=Max("dlq_timestamp"),
        taken=Avg(F("resolution_timestamp") - F("dlq_timestamp")),
    )
    return [
        ReasonStats._make([*row, _minutes(taken)])
        for *row, taken in rows.values_list(*columns, "taken")
    ]


def hold_entry(entry_uuid: UUID) -> EntryRow | None:
    """Lock an entry for a change; None for an unknown one."""
    rows = _rows(
        DlqEntry.objects.filter(pk=entry_uuid).select_for_update(no_key=True, of=("self",))
    )
    return rows[0] if rows else None


def change_entry(entry_uuid: UUID, columns: dict[str, Any], *, is_closed_now: bool) -> None:
    """Write columns of a held entry; `is_closed_now` stamps the time of its resolution."""
    stamp = {"resolution_timestamp": TaskerNow()} if is_closed_now else {}
    DlqEntry.objects.filter(pk=entry_uuid).update(**columns, **stamp, updated_at=TaskerNow())


def _seen(scope: Scope) -> QuerySet[DlqEntry]:
    if scope.is_everything:
        return DlqEntry.objects.all()
    return DlqEntry.objects.alias(seen_by=_SEEN_BY).filter(scope.condition("seen_by"))


def _minutes(taken: timedelta | None) -> float | None:
    return None if taken is None else round(taken.total_seconds() / 60, 2)


def _rows(entries: QuerySet[DlqEntry]) -> list[EntryRow]:
    columns = [F("task_id") if name == "task_uuid" else F(name) for name in EntryRow._fields]
    return [EntryRow._make(row) for row in entries.values_list(*columns)]
