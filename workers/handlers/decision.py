"""Decision steps: the handler says which branches of the template come to life.

This module builds the wire format only; what the engine does with it is `engine.md` chapter 10.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, Field

from workers.handlers.base import StepHandler
from workers.results import StepHandlerResult


class DecisionType(StrEnum):
    """The two ways a decision can go."""

    CREATE_STEPS = "create_steps"
    NO_BRANCHES = "no_branches"


class DecisionPointOutcome(BaseModel):
    """Which steps a decision creates, and why; build it by keyword."""

    decision_type: DecisionType
    next_step_names: list[str] = Field(default_factory=list)
    dynamic_steps: list[dict[str, Any]] | None = None
    reason: str | None = None
    routing_context: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def create_steps(
        cls,
        step_names: Sequence[str],
        dynamic_steps: list[dict[str, Any]] | None = None,
        routing_context: Mapping[str, Any] | None = None,
    ) -> "DecisionPointOutcome":
        """Create the named steps and what follows from them."""
        return cls(
            decision_type=DecisionType.CREATE_STEPS,
            next_step_names=_names(step_names),
            dynamic_steps=dynamic_steps,
            routing_context=dict(routing_context or {}),
        )

    @classmethod
    def no_branches(
        cls, reason: str, routing_context: Mapping[str, Any] | None = None
    ) -> "DecisionPointOutcome":
        """Create nothing."""
        return cls(
            decision_type=DecisionType.NO_BRANCHES,
            reason=reason,
            routing_context=dict(routing_context or {}),
        )

    def as_result(self) -> dict[str, Any]:
        """Return the handler result that carries this outcome."""
        outcome: dict[str, Any] = {"type": self.decision_type.value}
        result: dict[str, Any] = {"decision_point_outcome": outcome}
        if self.decision_type is DecisionType.CREATE_STEPS:
            outcome["step_names"] = self.next_step_names
        if self.reason is not None:
            result["reason"] = self.reason
        if self.dynamic_steps:
            result["dynamic_steps"] = self.dynamic_steps
        if self.routing_context:
            result["routing_context"] = self.routing_context
        return result


@dataclass(frozen=True)
class Decision:
    """What a decorated decision handler returns."""

    outcome: DecisionPointOutcome

    @classmethod
    def route(cls, steps: Sequence[str], **routing_context: Any) -> "Decision":
        """Take the named branches."""
        return cls(DecisionPointOutcome.create_steps(steps, None, routing_context))

    @classmethod
    def skip(cls, reason: str, **routing_context: Any) -> "Decision":
        """Take no branch."""
        return cls(DecisionPointOutcome.no_branches(reason, routing_context))


class Named(Protocol):
    """What a decision's metadata says of its handler."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...


def decision_result(
    outcome: DecisionPointOutcome, *, handler: Named, metadata: dict[str, Any] | None = None
) -> StepHandlerResult:
    """Build the success of a decision handler."""
    return StepHandlerResult.build_success(outcome.as_result(), _signed(handler, metadata))


class DecisionMixin:
    """Helpers of a class that decides; works on either side of `StepHandler`."""

    name: Any
    version: Any

    @property
    def decision_capabilities(self) -> list[str]:
        """What a decision handler can do beyond others, for display."""
        return ["decision", "routing"]

    def decision_success(
        self,
        steps: Sequence[str] | DecisionPointOutcome,
        routing_context: Mapping[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Take the named branches."""
        if not isinstance(steps, DecisionPointOutcome):
            steps = DecisionPointOutcome.create_steps(steps, None, routing_context)
        return decision_result(steps, handler=self, metadata=metadata)

    def route_to_steps(
        self,
        step_names: Sequence[str],
        routing_context: Mapping[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Take the named branches, as `decision_success` does."""
        return self.decision_success(step_names, routing_context, metadata)

    def decision_success_with_outcome(
        self, outcome: DecisionPointOutcome, metadata: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """Go the way an outcome says."""
        return decision_result(outcome, handler=self, metadata=metadata)

    def decision_no_branches(
        self, outcome: DecisionPointOutcome, metadata: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """Take no branch, for the reason that the outcome gives."""
        return decision_result(outcome, handler=self, metadata=metadata)

    def skip_branches(
        self,
        reason: str,
        routing_context: Mapping[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Take no branch."""
        outcome = DecisionPointOutcome.no_branches(reason, routing_context)
        return decision_result(outcome, handler=self, metadata=metadata)

    def decision_failure(
        self,
        message: str,
        error_type: str = "decision_error",
        retryable: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Build the failure of a decision handler."""
        return StepHandlerResult.failure(message, error_type, retryable, _signed(self, metadata))


class DecisionHandler(DecisionMixin, StepHandler):
    """A step handler that decides."""

    name = StepHandler.name
    version = StepHandler.version

    @property
    def capabilities(self) -> list[str]:
        """What the handler can do, for display."""
        return ["process", *self.decision_capabilities]


def _names(steps: Sequence[str]) -> list[str]:
    return [steps] if isinstance(steps, str) else list(steps)


def _signed(handler: Named, metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        **(metadata or {}),
        "decision_handler": handler.name,
        "decision_version": handler.version,
    }
