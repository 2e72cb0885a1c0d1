"""The shapes of a domain event, and what a publisher knows of the step that fires it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workers.context import StepContext

EVENT_VERSION = "1.0"
DEFAULT_NAMESPACE = "default"


class ExecutionResult(BaseModel):
    """The short form of a step's result that an event carries."""

    success: bool
    result: Any = None
    error_message: str | None = None
    error_type: str | None = None
    execution_time_ms: int | None = None


class DomainEventMetadata(BaseModel):
    """Whence and when an event came; a publisher's additions stand beside these keys."""

    model_config = ConfigDict(extra="allow")

    task_uuid: str
    step_uuid: str | None = None
    step_name: str | None = None
    namespace: str | None = None
    correlation_id: str
    fired_at: str
    fired_by: str


class InProcessDomainEvent(BaseModel):
    """An event as subscribers of the same process get it: `payload` is the business payload."""

    event_id: str
    event_name: str
    event_version: str = EVENT_VERSION
    payload: dict[str, Any] = Field(default_factory=dict)
    execution_result: ExecutionResult | None = None
    metadata: DomainEventMetadata


class EventDeclaration(BaseModel):
    """What a template says about one event of a step."""

    model_config = ConfigDict(populate_by_name=True)

    name: str
    condition: str | None = None
    delivery_mode: str | None = None
    publisher: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")


class StepResult(BaseModel):
    """How a step ended, as far as a publisher is concerned."""

    success: bool
    result: Any = None
    metadata: dict[str, Any] | None = None


class PublishContext(BaseModel):
    """One event about to be published, in one object."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    event_name: str
    step_result: StepResult
    event_declaration: EventDeclaration | None = None
    step_context: StepContext | None = None


class StepEventContext(BaseModel):
    """What a publisher's hooks are given."""

    task_uuid: str
    step_uuid: str
    step_name: str
    namespace: str = DEFAULT_NAMESPACE
    correlation_id: str = ""
    result: Any = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def from_step_context(
        cls, step_context: StepContext, result: Any = None, metadata: dict[str, Any] | None = None
    ) -> "StepEventContext":
        """Build it from a handler's context; `step_name` is the handler's name, as published."""
        parts = step_context.event.task_sequence_step.get("task") or {}
        return cls(
            task_uuid=str(step_context.task_uuid),
            step_uuid=str(step_context.step_uuid),
            step_name=step_context.handler_name,
            namespace=parts.get("namespace_name") or DEFAULT_NAMESPACE,
            correlation_id=str(step_context.correlation_id),
            result=result,
            metadata=dict(metadata or {}),
        )
