"""What a handler gives back: the result model, and what returned values and exceptions mean.

`models` has the shapes, `returned` turns what a handler returned into a result, `raised` does the
same for what it raised. Nothing here needs Django.
"""

from workers.results.models import (
    ErrorType,
    ResultStatus,
    StepError,
    StepExecutionResult,
    StepHandlerCallResult,
    StepHandlerResult,
)
from workers.results.raised import failure_from_exception
from workers.results.returned import to_result

__all__ = [
    "ErrorType",
    "ResultStatus",
    "StepError",
    "StepExecutionResult",
    "StepHandlerCallResult",
    "StepHandlerResult",
    "failure_from_exception",
    "to_result",
]
