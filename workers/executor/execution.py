"""The state of one claim while it runs, shared by the pool thread, the heartbeat and the watchdog.

Flags have one writer and are set once; that is why no lock is needed. What two threads may want to
do, and only one may, is decided by a ticket.
"""

from typing import TYPE_CHECKING, Any

from workers.context import Progress

if TYPE_CHECKING:
    from orchestration.queries.steps import Claim


class Ticket:
    """Can be taken once, by whoever comes first; `list.pop` is atomic, and needs no lock."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = [True]

    def take(self) -> bool:
        """Say whether the caller is the first."""
        try:
            return self._left.pop()
        except IndexError:
            return False


class Execution:
    """One claim being run; `progress` is what the handler's context sees of it."""

    __slots__ = (
        "_ending",
        "checkpoint",
        "claim",
        "is_cancelled",
        "is_overdue",
        "is_running",
        "is_stored",
        "is_timed_out",
        "is_unfinished",
        "progress",
        "started_at",
        "timeout_seconds",
    )

    def __init__(self, claim: "Claim", *, progress: Progress, timeout_seconds: int) -> None:
        self.claim = claim
        self.progress = progress
        self.timeout_seconds = timeout_seconds
        self.checkpoint: dict[str, Any] | None = claim.checkpoint
        self.started_at: float | None = None
        self.is_running = True
        self.is_cancelled = False
        self.is_overdue = False
        self.is_stored = False
        self.is_timed_out = False
        self.is_unfinished = False
        self._ending = Ticket()

    def cancel(self) -> None:
        """Tell the handler that its claim is gone; whatever it returns will be dropped."""
        self.is_cancelled = True
        self.progress.cancelled = True

    def end_once(self) -> bool:
        """Say whether the caller is the first to end this execution."""
        return self._ending.take()
