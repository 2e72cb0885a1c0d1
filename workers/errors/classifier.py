"""Says of any exception whether trying again may help.

Used for foreign exceptions when the setting `exception_policy` is `classifier`, and by handlers
that ask. Not used for Tasker's own errors, whose class decides.
"""

import builtins
from functools import lru_cache
from typing import Any, ClassVar

from workers.errors.handler import PermanentError, RetryableError


class ErrorClassifier:
    """Classifies by the attribute `retryable`, then by class, then by a default."""

    PERMANENT_ERROR_CLASSES: ClassVar[tuple[type[BaseException], ...]] = (
        PermanentError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        AssertionError,
        SyntaxError,
        NameError,
        ImportError,
        NotImplementedError,
    )
    RETRYABLE_ERROR_CLASSES: ClassVar[tuple[type[BaseException], ...]] = (
        RetryableError,
        ConnectionError,
        builtins.TimeoutError,
        BlockingIOError,
        InterruptedError,
        OSError,
    )

    def __init__(self, *, default_retryable: bool = True) -> None:
        self.default_retryable = default_retryable

    def retryable(self, exception: BaseException) -> bool:
        """Say whether trying again may help."""
        return self._decide(exception)[0]

    def permanent(self, exception: BaseException) -> bool:
        """Say whether trying again cannot help."""
        return not self.retryable(exception)

    def classify(self, exception: BaseException) -> dict[str, Any]:
        """Return the class name, the flag, and which rule decided."""
        retryable, rule = self._decide(exception)
        return {
            "error_type": type(exception).__name__,
            "retryable": retryable,
            "classification": rule,
        }

    def _decide(self, exception: BaseException) -> tuple[bool, str]:
        own = getattr(exception, "retryable", None)
        if isinstance(own, bool):
            return own, "explicit_attribute"
        if isinstance(exception, self.PERMANENT_ERROR_CLASSES):
            return False, "permanent_class"
        if isinstance(exception, self.RETRYABLE_ERROR_CLASSES):
            return True, "retryable_class"
        return self.default_retryable, "default"


@lru_cache(maxsize=1)
def get_classifier() -> ErrorClassifier:
    """Return the process's classifier."""
    return ErrorClassifier()


def is_retryable(exception: BaseException) -> bool:
    """Say whether trying again may help, by the process's classifier."""
    return get_classifier().retryable(exception)


def is_permanent(exception: BaseException) -> bool:
    """Say whether trying again cannot help, by the process's classifier."""
    return get_classifier().permanent(exception)
