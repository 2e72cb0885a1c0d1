"""The state of one claim while it runs, shared by the pool thread, the heartbeat and the watchdog.

Flags have one writer and are set once; that is why no lock is needed. What two threads may want to
do, and only one may, is decided by a ticket.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workers.context import Progress

if TYPE_CHECKING:
    from orchestration.queries.steps import Claim
    from workers.context import StepContext
    from workers.domain_events.preparing import PreparedEvent
    from workers.executor.plan import Plan


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
        "_log_fields",
        "checkpoint",
        "claim",
        "context",
        "error",
        "events",
        "is_cancelled",
        "is_interrupted",
        "is_overdue",
        "is_running",
        "is_stored",
        "is_timed_out",
        "is_unfinished",
        "plan",
        "progress",
        "started_at",
        "task_sequence_step",
        "timeout_seconds",
        "took_ms",
    )

    def __init__(self, claim: "Claim", *, progress: Progress, timeout_seconds: int) -> None:
        self.claim = claim
        self.progress = progress
        self.timeout_seconds = timeout_seconds
        self.checkpoint: dict[str, Any] | None = claim.checkpoint
        self.started_at: float | None = None
        self.took_ms = 0
        self.plan: Plan | None = None
        self.context: StepContext | None = None
        self.task_sequence_step = b""  # as claimed, for steps that publish durable events
        self.events: Sequence[PreparedEvent] = ()  # those that go out with the report
        self.error: BaseException | None = None  # what the handler raised
        self.is_interrupted = False  # an exception out of the blue was raised in its thread
        self.is_running = True
        self.is_cancelled = False
        self.is_overdue = False
        self.is_stored = False
        self.is_timed_out = False
        self.is_unfinished = False
        self._ending = Ticket()
        self._log_fields: dict[str, Any] | None = None

    @property
    def log_fields(self) -> dict[str, Any]:
        """What every log line about this execution says of it; not to be changed."""
        if self._log_fields is None:
            self._log_fields = self._build_log_fields()
        return self._log_fields

    def _build_log_fields(self) -> dict[str, Any]:
        claim = self.claim
        return {
            "correlation_id": str(claim.correlation_id),
            "task_uuid": str(claim.task_uuid),
            "step_uuid": str(claim.workflow_step_uuid),
            "namespace": claim.namespace,
            "step": claim.name,
            "attempt": claim.attempts,
        }

    def cancel(self) -> None:
        """Tell the handler that its claim is gone; whatever it returns will be dropped."""
        self.is_cancelled = True
        self.progress.cancelled = True

    def reopen(self) -> None:
        """Let it end once more: what it ended with cannot be stored."""
        self.events = ()
        self._ending = Ticket()

    def end_once(self) -> bool:
        """Say whether the caller is the first to end this execution."""
        return self._ending.take()
