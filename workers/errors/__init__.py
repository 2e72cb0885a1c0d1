"""Errors that handlers raise and workers report, and the classifier of foreign exceptions.

Two trees, because the published package has two modules: `runtime` holds plain errors of the worker
itself, `handler` holds those that say whether a step is tried again. `TaskerError` here is the
handlers' one; `workers.TaskerError` is its plain parent, as published.
"""

from workers.errors.classifier import ErrorClassifier, get_classifier, is_permanent, is_retryable
from workers.errors.handler import (
    AuthenticationError,
    AuthorizationError,
    BusinessLogicError,
    ConfigurationError,
    FFIError,
    NetworkError,
    NotFoundError,
    PermanentError,
    RateLimitError,
    ResourceContentionError,
    RetryableError,
    ServiceUnavailableError,
    StepExecutionError,
    StepTimeoutError,
    StepValidationError,
    TaskerError,
    TimeoutError,  # noqa: A004 - the published name
    ValidationError,
)

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BusinessLogicError",
    "ConfigurationError",
    "ErrorClassifier",
    "FFIError",
    "NetworkError",
    "NotFoundError",
    "PermanentError",
    "RateLimitError",
    "ResourceContentionError",
    "RetryableError",
    "ServiceUnavailableError",
    "StepExecutionError",
    "StepTimeoutError",
    "StepValidationError",
    "TaskerError",
    "TimeoutError",
    "ValidationError",
    "get_classifier",
    "is_permanent",
    "is_retryable",
]
