"""What the DLQ looks like on the wire (api-and-operations 1.12), and the bodies that change it."""

from typing import Any

from rest_framework import serializers

from orchestration.api.fields import ObjectField, TextField, WordField
from orchestration.lifecycle.investigation import MAX_NAME_LENGTH, MAX_NOTES_LENGTH
from orchestration.messaging.messages import REQUESTS_QUEUE
from orchestration.models import DlqReason, DlqResolution
from orchestration.queries.dlq import EntryRow, QueuedEntry
from orchestration.states import TaskState

HEALTH = ("stale", "warning", "healthy")


class DlqEntrySerializer(serializers.Serializer[Any]):
    """An investigation: of a task that stopped moving, or of a message that nobody could use."""

    dlq_entry_uuid = serializers.UUIDField()
    task_uuid = serializers.UUIDField(
        allow_null=True, help_text="Null when the task was purged, or the message named none."
    )
    original_state = serializers.ChoiceField(choices=TaskState.choices, allow_null=True)
    dlq_reason = serializers.ChoiceField(choices=DlqReason.choices)
    dlq_timestamp = serializers.DateTimeField()
    resolution_status = serializers.ChoiceField(choices=DlqResolution.choices)
    resolution_timestamp = serializers.DateTimeField(allow_null=True)
    resolution_notes = serializers.CharField(allow_null=True)
    resolved_by = serializers.CharField(allow_null=True)
    task_snapshot = serializers.DictField(
        help_text="The task as it was found: identity, counts, steps, last moves."
    )
    queue_name = serializers.CharField(allow_null=True)
    msg_id = serializers.IntegerField(allow_null=True)
    message = serializers.JSONField(
        help_text="The message that nobody could use. Without `tasks:context_read` null "
        "for a request of a task, which holds its context.",
    )
    metadata = serializers.DictField()


class QueuedDlqEntrySerializer(DlqEntrySerializer):
    """A pending entry with its place in the queue of investigations."""

    minutes_in_dlq = serializers.FloatField()
    priority_score = serializers.FloatField(
        help_text="Weight of the reason, plus one for each minute of waiting."
    )


class DlqStatsSerializer(serializers.Serializer[Any]):
    """All entries of one reason, by how they ended."""

    dlq_reason = serializers.ChoiceField(choices=DlqReason.choices)
    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    manually_resolved = serializers.IntegerField()
    permanently_failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    oldest_entry = serializers.DateTimeField()
    newest_entry = serializers.DateTimeField()
    avg_resolution_minutes = serializers.FloatField(allow_null=True)


class StalenessSerializer(serializers.Serializer[Any]):
    """How far an unfinished task is on its way to the nearest of its limits."""

    task_uuid = serializers.UUIDField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=TaskState.choices)
    minutes_in_state = serializers.FloatField()
    threshold_minutes = serializers.IntegerField()
    health = serializers.ChoiceField(
        choices=HEALTH, help_text="`stale` from 100 % of a limit, `warning` from 80 %."
    )


class DlqEntryRequestSerializer(serializers.Serializer[Any]):
    """Why a task is to be investigated."""

    notes = TextField(max_length=MAX_NOTES_LENGTH, allow_blank=True, required=False, default="")


class DlqEntryChangeSerializer(serializers.Serializer[Any]):
    """What is to become of an entry; any of the fields, at least one."""

    resolution_status = WordField(
        choices=DlqResolution.choices,
        required=False,
        help_text="Anything but `pending` closes the entry; a closed one is not reopened.",
    )
    resolution_notes = TextField(max_length=MAX_NOTES_LENGTH, allow_blank=True, required=False)
    resolved_by = TextField(
        min_length=1,
        max_length=MAX_NAME_LENGTH,
        required=False,
        help_text="Without it, the caller who closes the entry.",
    )
    metadata = ObjectField(required=False, help_text="Merged with what is there; 64 KiB in all.")


class DlqEntryChangedSerializer(serializers.Serializer[Any]):
    """What became of an entry."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    dlq_entry_uuid = serializers.UUIDField()


def entry_body(row: EntryRow, *, shows_context: bool) -> dict[str, Any]:
    """Return the answer about one entry."""
    body: dict[str, Any] = DlqEntrySerializer(_shown(row, shows_context=shows_context)).data
    return body


def queued_body(queued: QueuedEntry, *, shows_context: bool) -> dict[str, Any]:
    """Return the answer about one entry of the queue of investigations."""
    shown = {**_shown(queued.entry, shows_context=shows_context), **queued.urgency._asdict()}
    body: dict[str, Any] = QueuedDlqEntrySerializer(shown).data
    return body


def _shown(row: EntryRow, *, shows_context: bool) -> dict[str, Any]:
    shown = row._asdict()
    if row.queue_name == REQUESTS_QUEUE and not shows_context:
        shown["message"] = None
    return shown
