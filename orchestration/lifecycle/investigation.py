"""What people do to entries of the DLQ: note what they found, and close them.

One function for API, admin and command line alike. Closing an entry never starts anything: a task
goes on by an action of `operator_actions`, not by the end of its investigation (engine.md 12).
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from orchestration import metrics
from orchestration.errors import ActionRefusedError, InvalidRequestError, NotFoundError, Problem
from orchestration.models import DlqResolution
from orchestration.queries import dlq
from orchestration.queries.dlq import EntryRow
from orchestration.queries.operator_records import record_action
from orchestration.queries.transactions import atomically

log = logging.getLogger(__name__)

MAX_NOTES_LENGTH = 10_000
MAX_NAME_LENGTH = 255
MAX_METADATA_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryChange:
    """What is to become of an entry; None leaves a column as it is, `metadata` is merged."""

    resolution_status: str | None = None
    resolution_notes: str | None = None
    resolved_by: str | None = None
    metadata: dict[str, Any] | None = None


def update_entry(
    entry_uuid: UUID, change: EntryChange, *, actor: str, reason: str | None = None
) -> str:
    """Annotate or close an entry and return its resolution status.

    Locks the entry. A final status stamps the time, and the actor as `resolved_by` where nobody
    else is named. The reason stands in the record; where none is given the notes do. Raises
    `InvalidRequestError` for an empty or too large change, `ActionRefusedError` when a closed entry
    would be reopened, `NotFoundError`.
    """
    if problems := list(_problems(change)):
        told = "; ".join(f"{each.path} {each.message}".lstrip() for each in problems)
        raise InvalidRequestError(
            f"Cannot change DLQ entry {entry_uuid}: {told}", problems=problems
        )

    def work() -> str:
        entry = dlq.hold_entry(entry_uuid)
        if entry is None:
            raise NotFoundError(f"There is no DLQ entry {entry_uuid}")
        status = change.resolution_status or entry.resolution_status
        if status == DlqResolution.PENDING != entry.resolution_status:
            raise ActionRefusedError(
                f"Cannot reopen DLQ entry {entry_uuid}: it was closed as {entry.resolution_status}"
            )
        is_closed_now = status != entry.resolution_status
        columns = _columns(entry, change)
        if is_closed_now and change.resolved_by is None:
            columns["resolved_by"] = actor
        dlq.change_entry(entry_uuid, columns, is_closed_now=is_closed_now)
        if is_closed_now:
            seconds = (timezone.now() - entry.dlq_timestamp).total_seconds()
            metrics.DLQ_TIME_IN_QUEUE.observe(max(0.0, seconds), resolution=status)
        why = reason if reason is not None else change.resolution_notes or ""
        moved = (entry.resolution_status, status)
        record_action(entry_uuid, "dlq.updated", actor=actor, reason=why, change=moved)
        return status

    status = atomically(work)
    log.info("dlq.updated", extra={"entry_uuid": entry_uuid, "actor": actor, "status": status})
    return status


def _problems(change: EntryChange) -> Iterator[Problem]:
    if all(value is None for value in asdict(change).values()):
        known = ", ".join(asdict(change))
        yield Problem("", f"nothing is to be changed; give any of {known}")
    if change.resolution_status not in (None, *DlqResolution.values):
        yield Problem("resolution_status", f"must be one of {', '.join(DlqResolution.values)}")
    if len(change.resolution_notes or "") > MAX_NOTES_LENGTH:
        yield Problem("resolution_notes", f"has more than {MAX_NOTES_LENGTH} characters")
    if len(change.resolved_by or "") > MAX_NAME_LENGTH:
        yield Problem("resolved_by", f"has more than {MAX_NAME_LENGTH} characters")


def _columns(entry: EntryRow, change: EntryChange) -> dict[str, Any]:
    """Return the columns to write, metadata merged with what is there."""
    columns = {name: value for name, value in asdict(change).items() if value is not None}
    if change.metadata is not None:
        merged = {**entry.metadata, **change.metadata}
        size = len(json.dumps(merged).encode())
        if size > MAX_METADATA_BYTES:
            problem = Problem(
                "metadata", f"is {size} bytes long when merged; {MAX_METADATA_BYTES} are allowed"
            )
            raise InvalidRequestError("The metadata is too large", problems=[problem])
        columns["metadata"] = merged
    return columns
