"""The result of a handler, its error types, and the models of a reported result.

`StepHandlerResult` is what handlers build. What is stored for the step is made of it in
`workers.executor.report`.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ErrorType(StrEnum):
    """The standard error types; any other text is legal too."""

    PERMANENT_ERROR = "permanent_error"
    RETRYABLE_ERROR = "retryable_error"
    VALIDATION_ERROR = "validation_error"
    TIMEOUT = "timeout"
    HANDLER_ERROR = "handler_error"

    @classmethod
    def is_standard(cls, error_type: str) -> bool:
        """Say whether the text is one of the standard types."""
        return error_type in cls._value2member_map_

    @classmethod
    def is_typically_retryable(cls, error_type: str) -> bool:
        """Say whether this type usually means that the step is tried again."""
        return error_type in (cls.RETRYABLE_ERROR.value, cls.TIMEOUT.value)


class _Success:
    """On the class a constructor, on an instance the flag (`result.success` is a plain bool)."""

    if TYPE_CHECKING:
        # A descriptor cannot be typed with two meanings inside a pydantic model; callers see Any.
        def __get__(self, instance: Any, owner: Any = None) -> Any: ...
    else:

        def __get__(self, instance, owner=None):
            return owner.build_success if instance is None else instance.is_success


class StepHandlerResult(BaseModel):
    """The outcome of one run of a handler."""

    model_config = ConfigDict(
        populate_by_name=True, serialize_by_alias=True, ignored_types=(_Success,)
    )

    is_success: bool = Field(alias="success")
    result: dict[Any, Any] | None = None  # keys become text when the result becomes JSON
    error_message: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    retryable: bool = True
    metadata: dict[str, Any] = Field(default_factory=dict)

    success = _Success()

    @classmethod
    def build_success(
        cls, result: dict[Any, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> "StepHandlerResult":
        """Build a success; published as the class call `StepHandlerResult.success(…)`."""
        return cls(success=True, result=result or {}, metadata=metadata or {})

    @classmethod
    def failure(
        cls,
        message: str,
        error_type: str = ErrorType.HANDLER_ERROR,
        retryable: bool = True,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
    ) -> "StepHandlerResult":
        """Build a failure."""
        return cls(
            success=False,
            error_message=message,
            error_type=str(error_type),
            error_code=error_code,
            retryable=retryable,
            metadata=metadata or {},
        )

    def is_success_result(self) -> bool:
        """Say whether the handler succeeded."""
        return self.is_success

    def is_failure_result(self) -> bool:
        """Say whether the handler failed."""
        return not self.is_success


class StepHandlerCallResult(BaseModel):
    """Short form of a handler's outcome."""

    success: bool
    result: dict[str, Any] = Field(default_factory=dict)
    error_message: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class ResultStatus(StrEnum):
    """Status of a reported result in the published wire format."""

    SUCCESS = "completed"
    FAILURE = "error"
    RETRYABLE_ERROR = "retryable_error"
    PERMANENT_ERROR = "permanent_error"


class StepError(BaseModel):
    """Why a step failed."""

    error_type: str
    message: str
    stack_trace: str | None = None
    retryable: bool = True
    metadata: dict[str, Any] = Field(default_factory=dict)


class StepExecutionResult(BaseModel):
    """A reported result in the published wire format."""

    step_uuid: UUID
    task_uuid: UUID
    success: bool
    status: ResultStatus | str
    execution_time_ms: int
    result: dict[str, Any] | None = None
    error: StepError | None = None
    worker_id: str | None = None
    correlation_id: UUID | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def success_result(  # noqa: PLR0913 - the published signature
        cls,
        step_uuid: UUID,
        task_uuid: UUID,
        result: dict[str, Any],
        execution_time_ms: int = 0,
        worker_id: str | None = None,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> "StepExecutionResult":
        """Build the report of a success."""
        return cls(
            step_uuid=step_uuid,
            task_uuid=task_uuid,
            success=True,
            status=ResultStatus.SUCCESS,
            execution_time_ms=execution_time_ms,
            result=result,
            worker_id=worker_id,
            correlation_id=correlation_id,
            metadata=metadata or {},
        )

    @classmethod
    def failure_result(  # noqa: PLR0913 - the published signature
        cls,
        step_uuid: UUID,
        task_uuid: UUID,
        error: StepError,
        execution_time_ms: int = 0,
        worker_id: str | None = None,
        correlation_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> "StepExecutionResult":
        """Build the report of a failure; the status follows `error.retryable`."""
        is_retryable = error.retryable
        return cls(
            step_uuid=step_uuid,
            task_uuid=task_uuid,
            success=False,
            status=ResultStatus.RETRYABLE_ERROR if is_retryable else ResultStatus.PERMANENT_ERROR,
            execution_time_ms=execution_time_ms,
            error=error,
            worker_id=worker_id,
            correlation_id=correlation_id,
            metadata=metadata or {},
        )
