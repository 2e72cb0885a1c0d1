"""The REST answers as pydantic models, for handlers that validate them (`tasker_core.types`).

Stricter than `client_answers`: only what may be null may be missing.
"""

from typing import Any

from pydantic import BaseModel, Field


class ClientStepReadiness(BaseModel):
    """One step in the answer about a task."""

    workflow_step_uuid: str
    task_uuid: str
    named_step_uuid: str
    name: str
    current_state: str
    dependencies_satisfied: bool
    retry_eligible: bool
    ready_for_execution: bool
    last_failure_at: str | None = None
    next_retry_at: str | None = None
    total_parents: int
    completed_parents: int
    attempts: int
    max_attempts: int
    backoff_request_seconds: float | None = None
    last_attempted_at: str | None = None


class ClientTaskResponse(BaseModel):
    """A task, what its steps add up to, and the steps."""

    task_uuid: str
    name: str
    namespace: str
    version: str
    status: str
    created_at: str
    updated_at: str
    completed_at: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    initiator: str
    source_system: str
    reason: str
    priority: int | None = None
    tags: list[str] | None = None
    correlation_id: str
    parent_correlation_id: str | None = None
    total_steps: int
    pending_steps: int
    in_progress_steps: int
    completed_steps: int
    failed_steps: int
    ready_steps: int
    execution_status: str
    recommended_action: str
    completion_percentage: float
    health_status: str
    steps: list[ClientStepReadiness] = Field(default_factory=list)


class ClientPaginationInfo(BaseModel):
    """Where a page stands among all of them."""

    page: int
    per_page: int
    total_count: int
    total_pages: int
    has_next: bool
    has_previous: bool


class ClientTaskListResponse(BaseModel):
    """A page of tasks."""

    tasks: list[ClientTaskResponse]
    pagination: ClientPaginationInfo


class ClientStepResponse(BaseModel):
    """A step: what it is, what it produced, and whether it may run."""

    step_uuid: str
    task_uuid: str
    name: str
    created_at: str
    updated_at: str
    completed_at: str | None = None
    results: dict[str, Any] | None = None
    current_state: str
    dependencies_satisfied: bool
    retry_eligible: bool
    ready_for_execution: bool
    total_parents: int
    completed_parents: int
    attempts: int
    max_attempts: int
    last_failure_at: str | None = None
    next_retry_at: str | None = None
    last_attempted_at: str | None = None


class ClientStepAuditResponse(BaseModel):
    """One attempt that reported something."""

    audit_uuid: str
    workflow_step_uuid: str
    transition_uuid: str
    task_uuid: str
    recorded_at: str
    worker_uuid: str | None = None
    correlation_id: str | None = None
    success: bool
    execution_time_ms: int | None = None
    result: dict[str, Any] | None = None
    step_name: str
    from_state: str | None = None
    to_state: str


class ClientHealthResponse(BaseModel):
    """Whether tasks can be created and looked at."""

    status: str
    timestamp: str
