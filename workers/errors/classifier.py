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

    def retryable(self, exc: BaseException) -> bool:
        """Say whether trying again may help."""
        return self._decide(exc)[0]

    def permanent(self, exc: BaseException) -> bool:
        """Say whether trying again cannot help."""
        return not self.retryable(exc)

    def classify(self, exc: BaseException) -> dict[str, Any]:
        """Return the class name, the flag, and which rule decided."""
        retryable, rule = self._decide(exc)
        return {
            "error_type": type(exc).__name__,
            "retryable": retryable,
            "classification": rule,
        }

    def _decide(self, exc: BaseException) -> tuple[bool, str]:
        own = getattr(exc, "retryable", None)
        if isinstance(own, bool):
            return own, "explicit_attribute"
        if isinstance(exc, self.PERMANENT_ERROR_CLASSES):
            return False, "permanent_class"
        if isinstance(exc, self.RETRYABLE_ERROR_CLASSES):
            return True, "retryable_class"
        return self.default_retryable, "default"


@lru_cache(maxsize=1)
def get_classifier() -> ErrorClassifier:
    """Return the process's classifier."""
    return ErrorClassifier()


def is_retryable(exc: BaseException) -> bool:
    """Say whether trying again may help, by the process's classifier."""
    return get_classifier().retryable(exc)


def is_permanent(exc: BaseException) -> bool:
    """Say whether trying again cannot help, by the process's classifier."""
    return get_classifier().permanent(exc)
