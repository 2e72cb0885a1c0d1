"""What a test asks after a run of `run_inline`, and what may go wrong during one."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from orchestration.client import get_context, get_task
from orchestration.models import Task, TaskTransition
from orchestration.states import StepState, TaskState
from workers.context import unwrap_result
from workers.domain_events import InProcessDomainEvent


class InlineRunError(Exception):
    """A run could not be started, or did not come to rest."""


class WorkerLost(Exception):  # noqa: N818 - an event that a test makes happen
    """Raised by `on_dispatch`: the worker is killed before the handler is called."""


class Dispatch(NamedTuple):
    """One call of a handler; `number` counts the calls for this step, over all attempts."""

    step: str
    attempt: int
    number: int


@dataclass(frozen=True)
class InlineStep:
    """A step as it was left."""

    name: str
    template_name: str
    state: str
    attempts: int
    dispatches: int
    checkpoint: dict[str, Any] | None
    execution_result: Any

    @property
    def result(self) -> Any:
        """What the handler gave back; None unless it succeeded."""
        return unwrap_result(self.execution_result) if self._part("success") is True else None

    @property
    def error(self) -> dict[str, Any] | None:
        """Why the last attempt failed: message, error_type, retryable and more; None if not."""
        found = self._part("error")
        return found if isinstance(found, dict) else None

    @property
    def error_code(self) -> str | None:
        """The code that the last attempt's error carried."""
        metadata = self._part("metadata")
        return metadata.get("error_code") if isinstance(metadata, dict) else None

    def _part(self, key: str) -> Any:
        return self.execution_result.get(key) if isinstance(self.execution_result, dict) else None

    def __str__(self) -> str:
        text = f"{self.name}: {self.state}, attempts {self.attempts}"
        if self.error is None:
            return text
        return f"{text}, {self.error.get('error_type')}: {self.error.get('message')}"


@dataclass(frozen=True)
class InlineRun:
    """A whole run: the task, its steps in the order of their first dispatch, and how it went.

    What is read from the database on demand is what stands there when it is first asked for.
    """

    task_uuid: UUID
    status: str
    steps: dict[str, InlineStep]
    dispatches: list[Dispatch]
    virtual_seconds: float
    events: list[InProcessDomainEvent] = field(default_factory=list)

    @cached_property
    def task(self) -> Task:
        """The row of the task."""
        return get_task(self.task_uuid)

    @cached_property
    def execution_status(self) -> str:
        """What the steps add up to, such as `all_complete` or `blocked_by_failures`."""
        return get_context(self.task_uuid).execution_status

    @cached_property
    def transitions(self) -> list[TaskTransition]:
        """The task's history."""
        return list(TaskTransition.objects.filter(task_id=self.task_uuid).order_by("sort_key"))

    def result(self, step: str) -> Any:
        """Return what the handler of a step gave back; None unless it succeeded."""
        return self._step(step).result

    def assert_complete(self) -> None:
        """Fail, with what became of every step, unless the task is complete."""
        if self.status != TaskState.COMPLETE:
            raise AssertionError(f"The task is not complete but {self}")

    def assert_blocked(
        self, step: str, error_type: str | None = None, *, error_code: str | None = None
    ) -> None:
        """Fail unless the task is blocked by this step, and its error is of this type and code."""
        found = self._step(step)
        wrong = [
            self.status != TaskState.BLOCKED_BY_FAILURES,
            found.state != StepState.ERROR,
            error_type not in (None, (found.error or {}).get("error_type")),
            error_code not in (None, found.error_code),
        ]
        if any(wrong):
            said = [each for each in (error_type, error_code) if each]
            wanted = f"by '{step}'" + (f" with {' and '.join(said)}" if said else "")
            got = f" (its code is {found.error_code})" if error_code else ""
            raise AssertionError(f"The task is not blocked {wanted}{got} but {self}")

    def _step(self, name: str) -> InlineStep:
        if name not in self.steps:
            raise AssertionError(f"The task has no step '{name}'; it is {self}")
        return self.steps[name]

    def __str__(self) -> str:
        return "\n".join([self.status, *(f"  {step}" for step in self.steps.values())])
