"""What the model is about: plans, steps, claims, tasks, settings; engine.md 2, 3 and 8 in Python.

States are those of `tests.factories.histories`; times are whole milliseconds since the start.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

DONE = frozenset({"complete", "resolved_manually"})
FINISHED = DONE | {"cancelled"}
IN_FLIGHT = frozenset({"enqueued", "in_progress", "efo", "eaefo"})
WAITING = frozenset({"pending", "waiting_for_retry"})
CLOSED_TASK = frozenset({"C", "cancelled", "resolved"})
TERMINAL_TASK = CLOSED_TASK | {"X"}
HOUR_MS = 3_600_000
LARGEST_BACKOFF_MS = 300_000
LARGEST_REQUEST_MS = 3_600_000


class Refused(Exception):  # noqa: N818 a prediction, not an error
    """The model expects the engine to refuse an action."""


@dataclass(frozen=True)
class StepPlan:
    """What a template says about a step."""

    name: str
    parents: tuple[str, ...]
    retryable: bool
    max_attempts: int
    backoff: str
    base_ms: int
    cap_ms: int | None

    def delay_ms(self, attempt: int, asked_seconds: float | None) -> int:
        """Return the pause after the failed attempt of that number (engine.md 8.2)."""
        if asked_seconds is not None:
            return min(round(max(asked_seconds, 0) * 1000), LARGEST_REQUEST_MS)
        fibonacci = [1, 1, 2, 3, 5, 8]
        growth: int = {
            "none": 0,
            "linear": attempt,
            "exponential": 2 ** (attempt - 1),
            "fibonacci": fibonacci[attempt - 1],
        }[self.backoff]
        cap = LARGEST_BACKOFF_MS if self.cap_ms is None else min(self.cap_ms, LARGEST_BACKOFF_MS)
        return min(self.base_ms * growth, cap)


class HasHistory:
    """What has a state because it has a history."""

    history: list[str]

    @property
    def state(self) -> str:
        """Return where the last hop led, without its event."""
        return self.history[-1].split(":")[0]

    @property
    def version(self) -> int:
        """Return the number of hops."""
        return len(self.history)


@dataclass(eq=False)
class StepModel(HasHistory):
    """One step: its history, counters, message, claim and last result."""

    task: "TaskModel"
    plan: StepPlan
    uuid: Any
    history: list[str] = field(default_factory=lambda: ["pending"])
    attempts: int = 0
    requeues: int = 0
    due: int | None = None
    lease: int | None = None
    entered: int = 0
    has_message: bool = False
    has_queue_id: bool = False
    claim: "ClaimModel | None" = None
    results: "tuple[bool, Any] | None" = None
    cursor: int | None = None
    wants_retry: bool = True
    asked_seconds: float | None = None
    failed_at: int | None = None
    accepted: int = 0

    @property
    def may_be_tried(self) -> bool:
        more = self.plan.retryable and self.attempts < self.plan.max_attempts
        return self.attempts == 0 or more

    def is_ready(self, now: int) -> bool:
        parents_done = all(self.task.steps[name].state in DONE for name in self.plan.parents)
        is_due = self.due is None or self.due <= now
        return self.state in WAITING and parents_done and self.may_be_tried and is_due

    def enter(self, hop: str, now: int) -> None:
        """Move on, with what belongs to entering and leaving a state (engine.md 3.5)."""
        state = hop.split(":")[0]
        self.history.append(hop)
        self.entered = now
        if state != "in_progress":
            self.claim = self.lease = None
        if state not in {"enqueued", "in_progress"}:
            self.has_message = self.has_queue_id = False
        if state != "waiting_for_retry":
            self.due = None

    def enqueue(self, now: int) -> None:
        if self.state == "waiting_for_retry":
            self.enter("pending", now)
        self.enter("enqueued", now)
        self.has_message = self.has_queue_id = True

    def ancestors(self) -> "set[StepModel]":
        found: set[StepModel] = set()
        for name in self.plan.parents:
            parent = self.task.steps[name]
            found |= {parent} | parent.ancestors()
        return found

    def visible_results(self) -> dict[str, tuple[bool, Any]]:
        """Return what a handler sees of the steps before: results of all ancestors."""
        return {
            step.plan.name: step.results
            for step in self.ancestors()
            if step.state in DONE and step.results is not None
        }


@dataclass(eq=False)
class ClaimModel:
    """One attempt in a worker's hands; `engine` is what the engine gave for it."""

    step: StepModel
    version: int
    engine: Any

    @property
    def is_held(self) -> bool:
        return self.step.claim is self


@dataclass(eq=False)
class TaskModel(HasHistory):
    """One task with its steps by name."""

    uuid: Any
    namespace: str
    priority: int
    created: int
    history: list[str] = field(default_factory=lambda: ["P"])
    steps: dict[str, StepModel] = field(default_factory=dict)
    has_dlq_entry: bool = False

    @property
    def rank(self) -> tuple[float, int, Any]:
        """Order of discovery: effective priority, then age, then uuid."""
        return (-(self.priority - 0.1 * self.created / HOUR_MS), self.created, self.uuid)

    def in_states(self, states: Iterable[str]) -> list[StepModel]:
        return [step for step in self.steps.values() if step.state in states]

    def ready(self, now: int) -> list[StepModel]:
        return [step for step in self.steps.values() if step.is_ready(now)]


@dataclass(frozen=True)
class Rules:
    """The settings that matter here."""

    limit: int
    """Most steps of one task in flight."""
    high_water: int
    batch: int
    """Tasks of one round of discovery."""
    large: int
    """Steps above which a task goes on without a look at all of them."""
