"""Errors of orchestration: one tree, one class for each thing a caller can react to.

Every class has a stable `code` that the API answers with; `http/errors.py` maps classes to status
codes. Messages say what was attempted, on which object, and what to do.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple, TypeVar

MAX_QUOTED = 500
MOST_PROBLEMS = 100
"""Told at once about many requests; whoever sends a thousand wrong ones has one mistake."""


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


class InvalidOutcomeError(TaskerError):
    """What a decision or batchable step asks for cannot be created; nothing was.

    Its `code` says why. Raised as one of the two below, whose `error_type` the failed step shows.
    """

    error_type = ""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message[:MAX_QUOTED])  # it quotes what a handler said
        self.code = code


class InvalidDecisionError(InvalidOutcomeError):
    """A decision's outcome is missing, names a step that it may not, or goes beyond a limit."""

    error_type = "decision_error"


class InvalidBatchError(InvalidOutcomeError):
    """A batchable step's outcome is missing, names no worker or bad ids, or too many batches."""

    error_type = "batch_error"


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


Refusal = TypeVar("Refusal", InvalidRequestError, NotFoundError, DuplicateTaskError)


def located(error: Refusal, place: str) -> Refusal:
    """Return the same refusal with its place, `tasks[3]`, before the message and the paths."""
    if not place:
        return error
    problems = [Problem(f"{place}.{each.path}", each.message) for each in error.problems]
    message = f"{place}: {error.message}"
    return type(error)(message, problems=problems or [Problem(place, error.message)])


def joined(errors: Sequence[InvalidRequestError]) -> InvalidRequestError:
    """Return one refusal for all wrong requests of a call, with the first problems of them."""
    if len(errors) == 1:
        return errors[0]
    problems = [problem for error in errors for problem in error.problems]
    message = f"{errors[0].message} ({len(errors) - 1} more of the requests are wrong)"
    return InvalidRequestError(message, problems=problems[:MOST_PROBLEMS])
