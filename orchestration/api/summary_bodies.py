"""What the summary of a task looks like on the wire (api-and-operations 1.8)."""

from typing import Any

from rest_framework import serializers

from orchestration.api.task_bodies import TaskSerializer
from orchestration.models import DlqReason, DlqResolution
from orchestration.states import StepState, StepType

SAID_BY_CALLERS = ("context", "options", "initiator", "source_system", "reason", "tags")
"""What people or programs wrote into a task; none of it is in a summary."""


class SummaryTaskSerializer(TaskSerializer):
    """A task: identity, counts of steps, and what they add up to."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields of a task without texts of callers, and without its steps."""
        left_out = {*SAID_BY_CALLERS, "steps", "steps_truncated"}
        return {name: each for name, each in super().get_fields().items() if name not in left_out}


class SummaryTemplateStepSerializer(serializers.Serializer[Any]):
    """A step as its template describes it."""

    name = serializers.CharField()
    step_type = serializers.ChoiceField(choices=StepType.choices)
    handler = serializers.CharField()
    dependencies = serializers.ListField(child=serializers.CharField())
    retryable = serializers.BooleanField()
    max_attempts = serializers.IntegerField()


class SummaryTemplateSerializer(serializers.Serializer[Any]):
    """The template that the task is bound to."""

    name = serializers.CharField()
    namespace = serializers.CharField()
    version = serializers.CharField()
    steps = SummaryTemplateStepSerializer(many=True)


class SummaryErrorSerializer(serializers.Serializer[Any]):
    """What kind of failure it was; its words are left out."""

    error_type = serializers.CharField(allow_null=True)
    retryable = serializers.BooleanField(allow_null=True)
    status_code = serializers.IntegerField(allow_null=True)


class SummaryStepSerializer(serializers.Serializer[Any]):
    """A step in short."""

    step_uuid = serializers.UUIDField()
    name = serializers.CharField()
    current_state = serializers.ChoiceField(choices=StepState.choices)
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    last_attempted_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    dependencies_satisfied = serializers.BooleanField()
    retry_eligible = serializers.BooleanField()
    error = SummaryErrorSerializer(required=False, help_text="There after a failure.")


class SummaryDlqSerializer(serializers.Serializer[Any]):
    """The pending investigation of the task, else its newest one."""

    in_dlq = serializers.BooleanField(help_text="An investigation is pending.")
    dlq_reason = serializers.ChoiceField(choices=DlqReason.choices, allow_null=True)
    resolution_status = serializers.ChoiceField(choices=DlqResolution.choices, allow_null=True)


class SummaryLinksSerializer(serializers.Serializer[Any]):
    """Paths of more."""

    task = serializers.CharField()
    steps = serializers.CharField()
    dlq = serializers.CharField()


class TaskSummarySerializer(serializers.Serializer[Any]):
    """A task, its template, its steps and its investigation in short."""

    task = SummaryTaskSerializer()
    template = SummaryTemplateSerializer()
    steps = SummaryStepSerializer(many=True)
    dlq = SummaryDlqSerializer()
    links = SummaryLinksSerializer()
