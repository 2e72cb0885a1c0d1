"""How far the running dispatch is: the flags that a handler sees change while it runs."""

import time
from collections.abc import Callable


def _never() -> bool:
    return False


class Progress:
    """Written by the worker, read through the context; `deadline` is on the monotonic clock."""

    __slots__ = ("cancelled", "deadline", "is_stopping")

    def __init__(self, *, is_stopping: Callable[[], bool] = _never) -> None:
        self.cancelled = False
        self.deadline: float | None = None
        self.is_stopping = is_stopping

    def time_left(self) -> float | None:
        """Return the seconds until the timeout, at least 0; None without a timeout."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def should_stop(self) -> bool:
        """Say whether the handler had better end now."""
        return self.cancelled or self.time_left() == 0.0 or self.is_stopping()
