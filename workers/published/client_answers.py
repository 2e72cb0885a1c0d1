"""What the published client answers: frozen dataclasses with the fields of the REST answers.

Lenient on purpose: an unknown key is ignored, a missing one or null is the field's empty value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True)
class _Answer:
    """Base of the answers."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build it from a dict in the shape of the REST answer."""
        names = {each.name for each in fields(cls)}
        known = {key: value for key, value in data.items() if key in names and value is not None}
        return cls(**known)


@dataclass(frozen=True)
class PaginationInfo(_Answer):
    """Where a page stands among all of them."""

    page: int = 0
    per_page: int = 50
    total_count: int = 0
    total_pages: int = 0
    has_next: bool = False
    has_previous: bool = False


@dataclass(frozen=True)
class TaskResponse(_Answer):
    """A task, what its steps add up to, and the steps."""

    task_uuid: str = ""
    name: str = ""
    namespace: str = ""
    version: str = ""
    status: str = ""
    created_at: str = ""
    updated_at: str = ""
    completed_at: str | None = None
    context: dict[str, Any] = field(default_factory=dict)
    initiator: str = ""
    source_system: str = ""
    reason: str = ""
    priority: int | None = None
    tags: list[str] | None = None
    correlation_id: str = ""
    parent_correlation_id: str | None = None
    total_steps: int = 0
    pending_steps: int = 0
    in_progress_steps: int = 0
    completed_steps: int = 0
    failed_steps: int = 0
    ready_steps: int = 0
    execution_status: str = ""
    recommended_action: str = ""
    completion_percentage: float = 0.0
    health_status: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class TaskListResponse(_Answer):
    """A page of tasks."""

    tasks: list[TaskResponse] = field(default_factory=list)
    pagination: PaginationInfo = field(default_factory=PaginationInfo)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build it, with the tasks and the page in it, from a dict."""
        return cls(
            [TaskResponse.from_dict(each) for each in data.get("tasks") or ()],
            PaginationInfo.from_dict(data.get("pagination") or {}),
        )


@dataclass(frozen=True)
class StepResponse(_Answer):
    """A step: what it is, what it produced, and whether it may run."""

    step_uuid: str = ""
    task_uuid: str = ""
    name: str = ""
    created_at: str = ""
    updated_at: str = ""
    completed_at: str | None = None
    results: dict[str, Any] | None = None
    current_state: str = ""
    dependencies_satisfied: bool = False
    retry_eligible: bool = False
    ready_for_execution: bool = False
    total_parents: int = 0
    completed_parents: int = 0
    attempts: int = 0
    max_attempts: int = 0
    last_failure_at: str | None = None
    next_retry_at: str | None = None
    last_attempted_at: str | None = None


@dataclass(frozen=True)
class StepAuditResponse(_Answer):
    """One attempt that reported something."""

    audit_uuid: str = ""
    workflow_step_uuid: str = ""
    transition_uuid: str = ""
    task_uuid: str = ""
    recorded_at: str = ""
    worker_uuid: str | None = None
    correlation_id: str | None = None
    success: bool = False
    execution_time_ms: int | None = None
    result: dict[str, Any] | None = None
    step_name: str = ""
    from_state: str | None = None
    to_state: str = ""


@dataclass(frozen=True)
class HealthResponse(_Answer):
    """Whether tasks can be created and looked at."""

    healthy: bool = False
    status: str = ""
    timestamp: str = ""


ClientPaginationInfo = PaginationInfo
ClientTaskResponse = TaskResponse
ClientTaskListResponse = TaskListResponse
ClientStepResponse = StepResponse
ClientStepAuditResponse = StepAuditResponse
ClientHealthResponse = HealthResponse
