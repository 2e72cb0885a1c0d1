"""What a step looks like on the wire (api-and-operations 1.9), and the body of an action on it."""

import json
from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from orchestration.api.fields import JsonField, NullableDict, ObjectField, TextField, WordField
from orchestration.queries.readiness import StepReadiness
from orchestration.queries.step_list import StepRow
from orchestration.states import StepState, StepType
from templates_registry.conf import read, tables


class StepSerializer(serializers.Serializer[Any]):
    """A step: what it is, what it produced, and whether it may run."""

    step_uuid = serializers.UUIDField()
    task_uuid = serializers.UUIDField()
    name = serializers.CharField()
    step_type = serializers.ChoiceField(choices=StepType.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    results = NullableDict()
    checkpoint = NullableDict()
    current_state = serializers.ChoiceField(choices=StepState.choices)
    dependencies = serializers.ListField(
        child=serializers.CharField(), help_text="Names of the parents."
    )
    dependencies_satisfied = serializers.BooleanField()
    retry_eligible = serializers.BooleanField()
    ready_for_execution = serializers.BooleanField()
    total_parents = serializers.IntegerField()
    completed_parents = serializers.IntegerField()
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    last_failure_at = serializers.DateTimeField(allow_null=True)
    next_retry_at = serializers.DateTimeField(allow_null=True)
    last_attempted_at = serializers.DateTimeField(allow_null=True)
    lease_until = serializers.DateTimeField(allow_null=True)
    claimed_by = serializers.UUIDField(allow_null=True)
    requeue_count = serializers.IntegerField()
    batch_id = serializers.CharField(allow_null=True)
    origin_step_uuid = serializers.UUIDField(allow_null=True)


class CompletionSerializer(serializers.Serializer[Any]):
    """A result supplied by hand."""

    result = JsonField()
    metadata = ObjectField(required=False)

    def validate_result(self, value: Any) -> Any:
        """Hold a result to the limit that results of handlers have."""
        size, limit = len(json.dumps(value).encode()), max_result_bytes()
        if size > limit:
            raise serializers.ValidationError(f"is {size} bytes long; {limit} are allowed")
        return value


class StepActionSerializer(serializers.Serializer[Any]):
    """An operator's action on a step; `completion_data` belongs to `complete_manually`."""

    action_type = WordField(choices=("reset_for_retry", "resolve_manually", "complete_manually"))
    reason = TextField(min_length=1, max_length=500)
    reset_by = TextField(min_length=1, max_length=255, required=False)
    resolved_by = TextField(min_length=1, max_length=255, required=False)
    completed_by = TextField(min_length=1, max_length=255, required=False)
    completion_data = CompletionSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for the result of a step that is to be completed, and take none otherwise."""
        if attrs["action_type"] != "complete_manually":
            attrs.pop("completion_data", None)
        elif "completion_data" not in attrs:
            message = "is required for complete_manually"
            raise serializers.ValidationError({"completion_data": message})
        return attrs


def max_result_bytes() -> int:
    """Return the limit of a result; the setting is a row of the workers' table."""
    for table in tables():
        found = read(table).get("max_result_bytes")
        if found is not None:
            return int(found.value)
    raise AssertionError("no table of settings has MAX_RESULT_BYTES")


def step_bodies(steps: Iterable[tuple[StepRow, StepReadiness]]) -> list[dict[str, Any]]:
    """Return the answers about some steps."""
    shown = [{**readiness._asdict(), **row._asdict()} for row, readiness in steps]
    # One serializer for all: building its fields costs ten times what filling them does.
    return list(StepSerializer(shown, many=True).data)
