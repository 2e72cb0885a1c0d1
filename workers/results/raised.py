"""What an exception of a handler means: which error type, retryable or not, which metadata."""

import traceback
from typing import Any

from workers.errors import (
    PermanentError,
    RetryableError,
    TaskerError,
    get_classifier,
    runtime,
)
from workers.results.models import ErrorType, StepHandlerResult

TRACEBACK_BYTES = 16 * 1024


def failure_from_exception(
    error: BaseException, *, is_functional: bool, policy: str = "published"
) -> StepHandlerResult:
    """Turn what a handler raised into a failure.

    `policy` is the setting `exception_policy`: `classifier` asks `get_classifier()` about foreign
    exceptions, `published` retries them all.
    """
    if isinstance(error, runtime.TaskerError):
        return _declared_failure(error)
    own = getattr(error, "retryable", None)
    error_type: str = ErrorType.HANDLER_ERROR
    if isinstance(error, Exception) and not is_functional:
        error_type = type(error).__name__
    if isinstance(own, bool):
        given = getattr(error, "error_type", None)
        retryable, error_type = own, given if isinstance(given, str) and given else error_type
    elif policy == "classifier" and isinstance(error, Exception):
        retryable = get_classifier().retryable(error)
    else:
        retryable = True
    return StepHandlerResult.failure(
        describe_exception(error),
        error_type,
        retryable,
        {"exception_type": type(error).__name__, "traceback": format_traceback(error)},
        _error_code(error),
    )


def _declared_failure(error: runtime.TaskerError) -> StepHandlerResult:
    if isinstance(error, PermanentError):
        error_type, retryable = ErrorType.PERMANENT_ERROR, False
    elif isinstance(error, RetryableError):
        error_type, retryable = ErrorType.RETRYABLE_ERROR, True
    else:
        own = getattr(error, "retryable", None)
        error_type, retryable = ErrorType.HANDLER_ERROR, own if isinstance(own, bool) else True
    metadata: dict[str, Any] = dict(error.metadata) if isinstance(error, TaskerError) else {}
    metadata["exception_type"] = type(error).__name__
    return StepHandlerResult.failure(
        describe_exception(error), error_type, retryable, metadata, _error_code(error)
    )


def _error_code(error: BaseException) -> str | None:
    code = getattr(error, "error_code", None)
    return code if isinstance(code, str) else None


def describe_exception(error: BaseException) -> str:
    """Return the exception's text, or its class name when it has none or cannot tell it."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        return type(error).__name__


def format_traceback(error: BaseException) -> str:
    """Return the last 16 KiB of the traceback."""
    text = "".join(traceback.format_exception(error)).encode("utf-8", "replace")[-TRACEBACK_BYTES:]
    return text.decode("utf-8", "ignore")
