"""What one dispatch came to, and the failures that the worker itself makes."""

from typing import NamedTuple

from workers.results import ErrorType, StepHandlerResult
from workers.results.raised import describe_exception, format_traceback

NOT_FOUND = "handler_not_found"


class Outcome(NamedTuple):
    """A handler's result, and whether the worker made it instead of the handler."""

    result: StepHandlerResult
    is_made_by_worker: bool = False
    handler_version: str | None = None


def timed_out(step_name: str, *, timeout_seconds: int) -> Outcome:
    """Return the retryable failure of a handler that did not end in time."""
    return _failure(
        f"Step '{step_name}' did not end within {timeout_seconds} s.",
        ErrorType.TIMEOUT,
        "EXECUTION_TIMEOUT",
        retryable=True,
        metadata={"timeout_seconds": timeout_seconds},
    )


def unresolved(message: str, *, code: str) -> Outcome:
    """Return the permanent failure of a callable that no resolver finds."""
    return _failure(message, NOT_FOUND, code, retryable=False)


def not_prepared(step_name: str, *, error: BaseException) -> Outcome:
    """Return the retryable failure of a step whose template or context cannot be had."""
    return _failure(
        f"Step '{step_name}' could not be prepared: {describe_exception(error)}",
        "handler_setup_error",
        "HANDLER_SETUP_ERROR",
        retryable=True,
        metadata={
            "exception_type": type(error).__name__,
            "traceback": format_traceback(error),
        },
    )


def not_serializable(why: str, *, was_success: bool) -> Outcome:
    """Return the permanent failure of a result that JSON cannot hold."""
    return _failure(
        f"The result cannot be stored as JSON: {why}",
        "result_not_serializable",
        "FFI_SERIALIZATION_ERROR",
        retryable=False,
        metadata={"original_success": was_success},
    )


def too_large(size_bytes: int, *, max_bytes: int, was_success: bool) -> Outcome:
    """Return the permanent failure of a result over the limit."""
    return _failure(
        f"The result has {size_bytes} bytes; max_result_bytes allows {max_bytes}.",
        "result_too_large",
        "RESULT_TOO_LARGE",
        retryable=False,
        metadata={"original_success": was_success},
    )


def schema_mismatch(why: str) -> Outcome:
    """Return the permanent failure of a result that its template's schema refuses."""
    return _failure(
        f"The result does not match result_schema: {why}",
        ErrorType.VALIDATION_ERROR,
        "RESULT_SCHEMA_MISMATCH",
        retryable=False,
    )


def checkpoint_not_written(why: str) -> Outcome:
    """Return the retryable failure of a checkpoint that could not be stored."""
    return _failure(
        f"The checkpoint could not be written: {why}",
        "checkpoint_write_failed",
        "CHECKPOINT_WRITE_FAILED",
        retryable=True,
    )


def _failure(
    message: str,
    error_type: str,
    code: str,
    *,
    retryable: bool,
    metadata: dict[str, object] | None = None,
) -> Outcome:
    result = StepHandlerResult.failure(message, error_type, retryable, metadata, code)
    return Outcome(result, is_made_by_worker=True)
