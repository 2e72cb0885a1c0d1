"""The errors a step handler raises: the class decides whether the step is tried again.

Metadata travels with the result of the step; `retry_after` asks for a delay in seconds before the
next attempt. How each class becomes a step result is in `workers.results.raised`.
"""

from collections.abc import Mapping
from typing import Any

from workers.errors import runtime


class TaskerError(runtime.TaskerError):
    """Base of the errors that handlers raise.

    `retryable` is set by the class, and for one error by the argument.
    """

    retryable: bool = True

    def __init__(
        self,
        message: str,
        *,
        retryable: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
        error_code: str | None = None,
        retry_after: float | str | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if retryable is not None:
            self.retryable = retryable
        self.error_code = error_code
        self.retry_after = retry_after
        self.context = dict(context or {})
        self.metadata: dict[str, Any] = dict(metadata or {})
        if error_code is not None:
            self.metadata["error_code"] = error_code
        if retry_after is not None:
            self.metadata["retry_after"] = retry_after
        self.metadata.update(self.context)

    def to_dict(self) -> dict[str, Any]:
        """Return the error as JSON values."""
        return {
            "error_type": type(self).__name__,
            "message": self.message,
            "retryable": self.retryable,
            "metadata": self.metadata,
        }


class RetryableError(TaskerError):
    """The step failed and may succeed when it is tried again."""


class PermanentError(TaskerError):
    """The step failed and no further attempt would help."""

    retryable = False


class TimeoutError(RetryableError):  # noqa: A001 - the published name; `StepTimeoutError` outside
    """Something took too long.

    It alone may be built without a message: the watchdog gives the interpreter this class, which
    builds it in the handler's thread.
    """

    def __init__(self, message: str = "The step ran into its timeout", **details: Any) -> None:
        super().__init__(message, **details)


class NetworkError(RetryableError):
    """The network failed."""


class RateLimitError(RetryableError):
    """A service asked to be called less often."""


class ServiceUnavailableError(RetryableError):
    """A service is down for the moment."""


class ResourceContentionError(RetryableError):
    """Somebody else holds what the step needs."""


class ValidationError(PermanentError):
    """The step's input is wrong."""


class NotFoundError(PermanentError):
    """What the step needs does not exist."""


class AuthenticationError(PermanentError):
    """Credentials were refused."""


class AuthorizationError(PermanentError):
    """The step may not do this."""


class ConfigurationError(PermanentError):
    """The step is configured wrongly."""


class BusinessLogicError(PermanentError):
    """A rule of the business forbids it."""


class FFIError(TaskerError, runtime.FFIError):
    """A value could not cross the border between handler and engine; carries its own flag."""


class StepExecutionError(Exception):
    """A failure with an error type and a retry flag of its own, outside the two trees."""

    def __init__(
        self,
        message: str,
        error_type: str = "step_execution_error",
        retryable: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.retryable = retryable


StepTimeoutError = TimeoutError
StepValidationError = ValidationError
