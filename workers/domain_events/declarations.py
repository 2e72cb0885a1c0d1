"""What a template step declares to publish, and when: conditions judge the effective outcome.

Effective means: what becomes of the step. A failure that says retryable is permanent when the step
has no attempt left (engine.md 8.1).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from workers.domain_events.publishers import CheckPayload
from workers.results.schema_check import checker

if TYPE_CHECKING:
    from templates_registry.schema import StepTemplate

DURABLE, FAST, BROADCAST = "durable", "fast", "broadcast"


class Outcome(StrEnum):
    """What becomes of a step after a reported attempt."""

    SUCCESS = "success"
    RETRYABLE_FAILURE = "retryable_failure"
    PERMANENT_FAILURE = "permanent_failure"


CONDITIONS = {
    "success": {Outcome.SUCCESS},
    "failure": {Outcome.RETRYABLE_FAILURE, Outcome.PERMANENT_FAILURE},
    "retryable_failure": {Outcome.RETRYABLE_FAILURE},
    "permanent_failure": {Outcome.PERMANENT_FAILURE},
    "always": set(Outcome),
}


class Declared(NamedTuple):
    """One event of a template step."""

    name: str
    condition: str
    mode: str
    publisher: str | None
    check: CheckPayload | None

    @property
    def is_durable(self) -> bool:
        """Whether it goes to the queue of the namespace."""
        return self.mode != FAST

    @property
    def is_in_process(self) -> bool:
        """Whether it goes to the subscribers of this process."""
        return self.mode != DURABLE

    def fires_on(self, outcome: Outcome) -> bool:
        """Say whether the event belongs to an outcome."""
        return outcome in CONDITIONS[self.condition]


def declared_by(step: "StepTemplate") -> Sequence[Declared]:
    """Return the events of a template step in their order."""
    return tuple(
        Declared(
            each.name,
            each.condition,
            each.delivery_mode,
            each.publisher,
            checker(each.payload_schema) if each.payload_schema else None,
        )
        for each in step.publishes_events
    )


def effective_outcome(*, success: bool, retryable: bool, has_attempts_left: bool) -> Outcome:
    """Say what becomes of a step, by what its report says and what its claim allows."""
    if success:
        return Outcome.SUCCESS
    if retryable and has_attempts_left:
        return Outcome.RETRYABLE_FAILURE
    return Outcome.PERMANENT_FAILURE
