"""What analytics look like on the wire (api-and-operations 1.12)."""

from typing import Any

from rest_framework import serializers

SHARE = "Share of the tasks that completed or failed in the period, 0 to 1."


class PerformanceSerializer(serializers.Serializer[Any]):
    """A period in numbers. Nothing that happened in it is 0; a score without tasks is 1."""

    total_tasks = serializers.IntegerField(help_text="Created in the period.")
    active_tasks = serializers.IntegerField(help_text="Not finished now.")
    completed_tasks = serializers.IntegerField(help_text="Became complete in the period.")
    failed_tasks = serializers.IntegerField(
        help_text="Reached `error` or `blocked_by_failures` in the period, and are there still."
    )
    completion_rate = serializers.FloatField(help_text=SHARE)
    error_rate = serializers.FloatField(help_text=SHARE)
    average_task_duration_seconds = serializers.FloatField()
    average_step_duration_seconds = serializers.FloatField()
    tasks_per_hour = serializers.FloatField(help_text="Created.")
    steps_per_hour = serializers.FloatField(help_text="Completed.")
    system_health_score = serializers.FloatField()
    analysis_period_start = serializers.DateTimeField()
    calculated_at = serializers.DateTimeField(help_text="At most a minute ago.")


class SlowTaskSerializer(serializers.Serializer[Any]):
    """One version of a template; an execution is a task that ended or was blocked."""

    namespace_name = serializers.CharField()
    task_name = serializers.CharField()
    version = serializers.CharField()
    average_duration_seconds = serializers.FloatField()
    max_duration_seconds = serializers.FloatField()
    execution_count = serializers.IntegerField()
    average_step_count = serializers.FloatField()
    error_count = serializers.IntegerField()
    error_rate = serializers.FloatField(help_text="0 to 1.")
    last_executed_at = serializers.DateTimeField()


class SlowStepSerializer(serializers.Serializer[Any]):
    """One step of a version of a template; an execution is an attempt that reported."""

    namespace_name = serializers.CharField()
    task_name = serializers.CharField()
    version = serializers.CharField()
    step_name = serializers.CharField()
    average_duration_seconds = serializers.FloatField()
    max_duration_seconds = serializers.FloatField()
    execution_count = serializers.IntegerField()
    error_count = serializers.IntegerField()
    error_rate = serializers.FloatField(help_text="0 to 1.")
    last_executed_at = serializers.DateTimeField()


class SystemHealthSerializer(serializers.Serializer[Any]):
    """The whole deployment, whatever namespaces were asked for."""

    health_score = serializers.FloatField(help_text="0 to 1; 1 where there are no tasks.")
    under_heavy_load = serializers.BooleanField()
    active_connections = serializers.IntegerField()
    max_connections = serializers.IntegerField()


class ResourceUtilizationSerializer(serializers.Serializer[Any]):
    """How busy the process that answers and the database are."""

    database_pool_utilization = serializers.FloatField(help_text="0 to 1.")
    system_health = SystemHealthSerializer()


class BottlenecksSerializer(serializers.Serializer[Any]):
    """What is slow or fails, and what to do about it."""

    slow_steps = SlowStepSerializer(many=True)
    slow_tasks = SlowTaskSerializer(many=True)
    resource_utilization = ResourceUtilizationSerializer()
    recommendations = serializers.ListField(child=serializers.CharField())
