"""The published models of a worker: how it is started, how it is, what it counts."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class WorkerState(StrEnum):
    """Where a worker is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting_down"
    STOPPED = "stopped"
    ERROR = "error"


class BootstrapConfig(BaseModel):
    """How to start a worker in this process.

    A namespace other than `default` limits the worker to it. `config_path` and `log_level` have no
    effect: Tasker is configured by `settings.TASKER`, and logging by Django's `LOGGING`.
    """

    model_config = ConfigDict(extra="forbid")

    worker_id: str | None = None
    namespace: str = "default"
    config_path: str | None = None
    log_level: str = Field(default="info", pattern="^(trace|debug|info|warn|error)$")


class BootstrapResult(BaseModel):
    """What came of starting a worker."""

    success: bool
    handle_id: str
    worker_id: str
    status: str
    message: str | None = None
    error_message: str | None = None


class WorkerStatus(BaseModel):
    """Whether a worker runs in this process, and with what."""

    running: bool
    environment: str | None = None
    worker_core_status: str | None = None
    web_api_enabled: bool | None = None
    supported_namespaces: list[str] | None = None
    database_pool_size: int | None = None
    database_pool_idle: int | None = None
    error: str | None = None


class LogContext(BaseModel):
    """Fields of a log line."""

    correlation_id: str | None = None
    task_uuid: str | None = None
    step_uuid: str | None = None
    namespace: str | None = None
    operation: str | None = None


class FfiDispatchMetrics(BaseModel):
    """Claimed steps that wait for a thread."""

    pending_count: int
    oldest_pending_age_ms: int | None = None
    newest_pending_age_ms: int | None = None
    oldest_event_id: str | None = None
    starvation_detected: bool = False
    starving_event_count: int = 0


class StarvationWarning(BaseModel):
    """A step that waited for too long; never raised here, because claims have slots."""

    event_id: UUID
    step_uuid: UUID
    pending_duration_ms: int
    threshold_ms: int


class ComponentHealth(BaseModel):
    """One check of a worker."""

    name: str
    status: str
    pool_size: int | None = None
    pool_idle: int | None = None


class HealthCheck(BaseModel):
    """All checks of a worker."""

    status: str
    is_running: bool
    components: dict[str, ComponentHealth] = Field(default_factory=dict)
    rust: dict[str, Any] = Field(default_factory=dict)
    python: dict[str, Any] = Field(default_factory=dict)


class WorkerMetrics(BaseModel):
    """What a worker counts."""

    dispatch_channel_pending: int = 0
    oldest_pending_age_ms: int | None = None
    newest_pending_age_ms: int | None = None
    starvation_detected: bool = False
    starving_event_count: int = 0
    database_pool_size: int = 0
    database_pool_idle: int = 0
    environment: str | None = None
    steps_processed: int = 0
    steps_succeeded: int = 0
    steps_failed: int = 0
    steps_in_progress: int = 0


class WorkerConfig(BaseModel):
    """How the worker of this process is configured."""

    environment: str | None = None
    supported_namespaces: list[str] = Field(default_factory=list)
    web_api_enabled: bool = False
    database_pool_size: int = 0
    polling_interval_ms: int = 10
    starvation_threshold_ms: int = 1000
    max_concurrent_handlers: int = 10
    handler_timeout_ms: int = 30_000
