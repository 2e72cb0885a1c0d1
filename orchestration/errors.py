"""Errors of orchestration: one tree, one class for each thing a caller can react to.

Every class has a stable `code` that the API answers with; `http/errors.py` maps classes to status
codes. Messages say what was attempted, on which object, and what to do.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong with a request: where (`context.items[2].sku`) and what."""

    path: str
    message: str


class TaskerError(Exception):
    """Base of all errors that orchestration raises on purpose."""

    code = "INTERNAL_ERROR"

    def __init__(self, message: str, *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)


class InvalidRequestError(TaskerError):
    """The request itself is wrong; `problems` name the places."""

    code = "BAD_REQUEST"


class ActionRefusedError(TaskerError):
    """An operator action is not allowed in the present state; nothing changed."""

    code = "BAD_REQUEST"


class NotFoundError(TaskerError):
    """No such task, step or template."""

    code = "NOT_FOUND"


class DuplicateTaskError(TaskerError):
    """Another task holds this identity; its uuid is not disclosed."""

    code = "CONFLICT"


class DuplicateDlqEntryError(TaskerError):
    """The task has a pending DLQ entry already."""

    code = "CONFLICT"


class RequestTimeoutError(TaskerError):
    """A request took longer than allowed; what it wrote was rolled back."""

    code = "TIMEOUT"


class TryLaterError(TaskerError):
    """The request is fine, the moment is not; nothing was written."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class CircuitOpenError(TryLaterError):
    """A circuit breaker is open: what it guards has failed repeatedly and is not tried."""

    code = "CIRCUIT_BREAKER_OPEN"

    def __init__(self, name: str, *, retry_after_seconds: float) -> None:
        super().__init__(
            f"Not tried: the circuit breaker '{name}' is open after repeated failures; try again "
            f"in {max(1, ceil(retry_after_seconds))} s",
            retry_after_seconds=retry_after_seconds,
        )
        self.breaker = name


class BackpressureError(TryLaterError):
    """The engine is behind with what it has; a new task would only make that worse."""

    code = "BACKPRESSURE"
