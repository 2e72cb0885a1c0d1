"""What the history looks like on the wire (api-and-operations 1.9 and 1.10)."""

from typing import Any

from rest_framework import serializers

from orchestration.states import StepState, TaskState

SUBJECTS = ("task", "step")
STATES = tuple(dict.fromkeys([*TaskState.values, *StepState.values]))


class TransitionSerializer(serializers.Serializer[Any]):
    """One move of a task or of a step."""

    subject = serializers.ChoiceField(choices=SUBJECTS)
    step_uuid = serializers.UUIDField(allow_null=True)
    step_name = serializers.CharField(allow_null=True)
    sort_key = serializers.IntegerField(help_text="Counts the moves of its subject.")
    from_state = serializers.ChoiceField(
        choices=STATES, allow_null=True, help_text="Null when it was created."
    )
    to_state = serializers.ChoiceField(choices=STATES)
    event = serializers.CharField()
    created_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Time spent in `from_state`.")
    processor_uuid = serializers.UUIDField(allow_null=True)
    worker_uuid = serializers.UUIDField(allow_null=True)
    attempt = serializers.IntegerField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True, allow_blank=True)
    metadata = serializers.DictField()


class AuditSerializer(serializers.Serializer[Any]):
    """One attempt of a step that reported, and the move that it led to."""

    audit_uuid = serializers.UUIDField()
    workflow_step_uuid = serializers.UUIDField()
    transition_uuid = serializers.UUIDField()
    task_uuid = serializers.UUIDField()
    recorded_at = serializers.DateTimeField()
    worker_uuid = serializers.UUIDField(allow_null=True)
    correlation_id = serializers.UUIDField()
    attempt = serializers.IntegerField()
    success = serializers.BooleanField()
    execution_time_ms = serializers.IntegerField(allow_null=True)
    result = serializers.JSONField(help_text="Of the newest attempt; earlier ones are null.")
    step_name = serializers.CharField()
    from_state = serializers.ChoiceField(choices=StepState.choices, allow_null=True)
    to_state = serializers.ChoiceField(choices=StepState.choices)
