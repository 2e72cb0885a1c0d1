"""What a task looks like on the wire (api-and-operations 1.6), and the body of an action on it."""

from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework import serializers

from orchestration.api.fields import NullableDict, TextField, WordField
from orchestration.queries.readiness import StepReadiness, TaskContext
from orchestration.queries.task_list import MOST_COUNTED, TaskRow
from orchestration.states import TERMINAL_TASK_STATES, StepState, TaskState

MAX_STEPS = 1000
EXECUTION_STATES = (
    "has_ready_steps",
    "processing",
    "waiting_for_dependencies",
    "blocked_by_failures",
    "all_complete",
)
RECOMMENDED_ACTIONS = (
    "execute_ready_steps",
    "wait_for_completion",
    "wait_for_dependencies",
    "handle_failures",
    "finalize_task",
)
HEALTH_STATES = ("healthy", "recovering", "blocked")


class TaskStepSerializer(serializers.Serializer[Any]):
    """One step in the answer about a task."""

    workflow_step_uuid = serializers.UUIDField()
    task_uuid = serializers.UUIDField()
    named_step_uuid = serializers.UUIDField()
    name = serializers.CharField()
    current_state = serializers.ChoiceField(choices=StepState.choices)
    dependencies_satisfied = serializers.BooleanField()
    retry_eligible = serializers.BooleanField()
    ready_for_execution = serializers.BooleanField()
    last_failure_at = serializers.DateTimeField(allow_null=True)
    next_retry_at = serializers.DateTimeField(allow_null=True)
    total_parents = serializers.IntegerField()
    completed_parents = serializers.IntegerField()
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    backoff_request_seconds = serializers.FloatField(allow_null=True)
    last_attempted_at = serializers.DateTimeField(allow_null=True)


class TaskSerializer(serializers.Serializer[Any]):
    """A task, what its steps add up to, and the steps."""

    task_uuid = serializers.UUIDField()
    name = serializers.CharField()
    namespace = serializers.CharField()
    version = serializers.CharField()
    status = serializers.ChoiceField(choices=TaskState.choices)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    requested_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    context = NullableDict(  # type: ignore[assignment]  # hides a property that output ignores
        help_text="Null without `tasks:context_read`, and in lists."
    )
    options = serializers.DictField()
    initiator = serializers.CharField()
    source_system = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField()
    tags = serializers.ListField(child=serializers.CharField())
    correlation_id = serializers.UUIDField()
    parent_correlation_id = serializers.UUIDField(allow_null=True)
    total_steps = serializers.IntegerField()
    pending_steps = serializers.IntegerField()
    in_progress_steps = serializers.IntegerField()
    completed_steps = serializers.IntegerField()
    failed_steps = serializers.IntegerField()
    ready_steps = serializers.IntegerField()
    execution_status = serializers.ChoiceField(choices=EXECUTION_STATES)
    recommended_action = serializers.ChoiceField(choices=RECOMMENDED_ACTIONS)
    health_status = serializers.ChoiceField(choices=HEALTH_STATES)
    completion_percentage = serializers.FloatField()
    is_terminal = serializers.BooleanField()
    is_resting = serializers.BooleanField(
        help_text="No move will come by itself. What clients should wait for."
    )
    revision = serializers.IntegerField(help_text="Grows with every move of the task or a step.")
    steps = TaskStepSerializer(many=True)
    steps_truncated = serializers.BooleanField(
        required=False, help_text="There, and true, when the task has more steps than are listed."
    )


_TASK = TaskSerializer()
"""For output alone, by any thread: a new one copies its fifty fields for every task."""


class TaskContextSerializer(serializers.Serializer[Any]):
    """What a task was given."""

    task_uuid = serializers.UUIDField()
    context = serializers.DictField()  # type: ignore[assignment]  # as above
    options = serializers.DictField()


class PaginationSerializer(serializers.Serializer[Any]):
    """Where a page stands among all of them."""

    page = serializers.IntegerField(allow_null=True, help_text="Null with `after`.")
    per_page = serializers.IntegerField()
    total_count = serializers.IntegerField(allow_null=True, help_text="Null with `after`.")
    total_pages = serializers.IntegerField(allow_null=True, help_text="Null with `after`.")
    total_is_estimate = serializers.BooleanField(
        help_text=f"More than {MOST_COUNTED} tasks are not counted: the planner guesses."
    )
    has_next = serializers.BooleanField()
    has_previous = serializers.BooleanField()


class TaskListSerializer(serializers.Serializer[Any]):
    """One page of tasks."""

    tasks = TaskSerializer(many=True)
    pagination = PaginationSerializer()


class TaskActionSerializer(serializers.Serializer[Any]):
    """An operator's action on a task."""

    action_type = WordField(choices=("retry_failed_steps", "reset", "give_up", "resolve_manually"))
    reason = TextField(min_length=1, max_length=500)
    acted_by = TextField(min_length=1, max_length=255, required=False)


def task_body(
    row: TaskRow,
    context: TaskContext,
    steps: Sequence[StepReadiness] = (),
    *,
    shows_context: bool,
) -> dict[str, Any]:
    """Return the answer about one task."""
    is_terminal = row.status in TERMINAL_TASK_STATES
    runs = context.in_progress_steps + context.enqueued_steps
    found: dict[str, Any] = {
        **context._asdict(),
        **row._asdict(),
        "options": row.options or {},
        "context": row.context if shows_context else None,
        "is_terminal": is_terminal,
        "is_resting": is_terminal or (row.status == TaskState.BLOCKED_BY_FAILURES and not runs),
        "steps": [step._asdict() for step in steps[:MAX_STEPS]],
    }
    body = _TASK.to_representation(found)
    if len(steps) > MAX_STEPS:
        body["steps_truncated"] = True
    return body


def by_task(steps: Iterable[StepReadiness]) -> dict[Any, list[StepReadiness]]:
    """Return steps sorted into their tasks."""
    found: dict[Any, list[StepReadiness]] = {}
    for step in steps:
        found.setdefault(step.task_uuid, []).append(step)
    return found
