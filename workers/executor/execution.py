"""The state of one claim while it runs, shared by the pool thread, the heartbeat and the watchdog.

Every flag has one writer and is only ever set, never cleared, except `is_running`; that is why no
lock is needed. `deliver_once` is the one decision that two threads may want to take.
"""

from typing import TYPE_CHECKING

from workers.context import Progress

if TYPE_CHECKING:
    from orchestration.queries.steps import Claim


class Execution:
    """One claim being run; `progress` is what the handler's context sees of it."""

    __slots__ = (
        "_tickets",
        "claim",
        "is_cancelled",
        "is_overdue",
        "is_running",
        "is_stored",
        "is_unfinished",
        "progress",
    )

    def __init__(self, claim: "Claim", *, progress: Progress) -> None:
        self.claim = claim
        self.progress = progress
        self.is_running = True
        self.is_cancelled = False
        self.is_overdue = False
        self.is_stored = False
        self.is_unfinished = False
        self._tickets = [None]

    def cancel(self) -> None:
        """Tell the handler that its claim is gone; whatever it returns will be dropped."""
        self.is_cancelled = True
        self.progress.cancelled = True

    def deliver_once(self) -> bool:
        """Say whether the caller is the first to end this execution (list.pop is atomic)."""
        try:
            self._tickets.pop()
        except IndexError:
            return False
        return True
