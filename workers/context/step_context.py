"""`StepContext`: everything a handler may ask about its task, its step and what ran before it.

A model over dicts that belong to this dispatch alone. The raw event is built on first access, since
almost no handler looks at it.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SkipValidation

from workers.context.progress import Progress
from workers.context.raw_event import FfiStepEvent, TaskSequenceStepWrapper, as_uuid, mapping

NO_UUID = UUID(int=0)


def unwrap_result(value: Any) -> Any:
    """Return the handler's result inside an execution result, any other value unchanged."""
    return value["result"] if isinstance(value, dict) and "result" in value else value


def _empty_event() -> FfiStepEvent:
    return FfiStepEvent()


class StepContext(BaseModel):
    """The view a handler has of its step during one dispatch."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    task_uuid: UUID = NO_UUID
    step_uuid: UUID = NO_UUID
    correlation_id: UUID = NO_UUID
    handler_name: str = ""
    input_data: dict[str, Any] = Field(default_factory=dict)
    # Not validated: that would copy it, and ask for everything that it can still fetch.
    dependency_results: SkipValidation[dict[str, Any]] = Field(default_factory=dict)
    step_config: dict[str, Any] = Field(default_factory=dict)
    step_inputs: dict[str, Any] = Field(default_factory=dict)
    retry_count: int = 0
    max_retries: int = 3
    checkpoint: dict[str, Any] | None = None
    step_name: str = ""
    template_step_name: str = ""
    namespace: str = ""
    task_name: str = ""
    task_version: str = ""
    timeout_seconds: int | None = None
    given_event: FfiStepEvent | None = Field(default=None, alias="event", exclude=True, repr=False)
    progress: Progress = Field(default_factory=Progress, exclude=True, repr=False)
    build_event: Callable[[], FfiStepEvent] = Field(default=_empty_event, exclude=True, repr=False)
    _event: FfiStepEvent | None = PrivateAttr(default=None)

    __eq__ = object.__eq__  # two dispatches are two contexts, whatever they hold
    __hash__ = object.__hash__

    @classmethod
    def from_ffi_event(cls, event: FfiStepEvent, handler_name: str) -> "StepContext":
        """Build a context from a raw event; missing parts of it become empty defaults."""
        parts = event.task_sequence_step
        step, definition = mapping(parts, "workflow_step"), mapping(parts, "step_definition")
        envelope = mapping(parts, "task")
        task = mapping(envelope, "task") or envelope
        config = mapping(mapping(definition, "handler"), "initialization")
        name = str(step.get("name") or definition.get("name") or "")
        return cls(
            task_uuid=as_uuid(event.task_uuid),
            step_uuid=as_uuid(event.step_uuid),
            correlation_id=as_uuid(event.correlation_id),
            handler_name=handler_name,
            input_data=mapping(task, "context"),
            dependency_results=mapping(parts, "dependency_results"),
            step_config=config,
            step_inputs=mapping(step, "inputs") or dict(config),
            retry_count=step.get("attempts") or 0,
            max_retries=step.get("max_attempts") or 3,
            checkpoint=step.get("checkpoint"),
            step_name=name,
            template_step_name=str(definition.get("name") or name),
            namespace=str(envelope.get("namespace_name") or task.get("namespace") or ""),
            task_name=str(envelope.get("task_name") or ""),
            task_version=str(envelope.get("task_version") or ""),
            timeout_seconds=definition.get("timeout_seconds"),
            event=event,
        )

    # --- inputs and configuration
    def get_input(self, key: str) -> Any:
        """Return a value of the task's context, None when absent."""
        return self.input_data.get(key)

    def get_input_or(self, key: str, default: Any = None) -> Any:
        """Return a value of the task's context; the default when absent or None."""
        value = self.input_data.get(key)
        return default if value is None else value

    def get_config(self, key: str) -> Any:
        """Return a value of the handler's `initialization`, None when absent."""
        return self.step_config.get(key)

    get_task_field = get_input

    # --- results of earlier steps
    def get_dependency_result(self, step_name: str) -> Any:
        """Return what the handler of an ancestor step gave back, None when it has no result."""
        return unwrap_result(self.dependency_results.get(step_name))

    get_results = get_dependency_result

    def get_dependency_field(self, step_name: str, *path: str) -> Any:
        """Walk the dicts below an ancestor's result; None as soon as anything is missing."""
        value = self.get_dependency_result(step_name)
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    def get_dependency_result_keys(self) -> list[str]:
        """Return the names of the ancestors that have results."""
        return list(self.dependency_results)

    def get_all_dependency_results(self, prefix: str) -> list[Any]:
        """Return the results, None left out, of all steps whose name starts with a prefix."""
        found = (
            unwrap_result(value)
            for name, value in self.dependency_results.items()
            if name.startswith(prefix)
        )
        return [value for value in found if value is not None]

    # --- attempts
    @property
    def attempt(self) -> int:
        """Number of this attempt, from 1."""
        return self.retry_count + 1

    @property
    def idempotency_key(self) -> str:
        """Text that is the same for every attempt of this step, for calls to other services."""
        return f"{self.task_uuid}:{self.step_name}"

    def is_retry(self) -> bool:
        """Say whether an earlier attempt failed."""
        return self.retry_count > 0

    def is_last_retry(self) -> bool:
        """Say whether no attempt follows this one."""
        return self.retry_count >= self.max_retries - 1

    # --- checkpoint
    @property
    def checkpoint_cursor(self) -> Any:
        """Where the last checkpoint stopped, None without one."""
        return (self.checkpoint or {}).get("cursor")

    @property
    def checkpoint_items_processed(self) -> int:
        """Items processed up to the last checkpoint."""
        return int((self.checkpoint or {}).get("items_processed") or 0)

    @property
    def accumulated_results(self) -> Any:
        """What the last checkpoint carried along, None without one."""
        return (self.checkpoint or {}).get("accumulated_results")

    def has_checkpoint(self) -> bool:
        """Say whether a checkpoint with a cursor exists."""
        return self.checkpoint_cursor is not None

    # --- progress
    @property
    def cancelled(self) -> bool:
        """True once the claim is gone or its deadline has passed: the result will be dropped."""
        return self.progress.cancelled

    def time_left(self) -> float | None:
        """Return the seconds until the timeout, None without one."""
        return self.progress.time_left()

    def should_stop(self) -> bool:
        """Say whether the claim is gone, the timeout has passed, or the worker shuts down."""
        return self.progress.should_stop()

    # --- raw event
    @property
    def event(self) -> FfiStepEvent:
        """The step as one message, in the published shape."""
        if self._event is None:
            self._event = self.given_event or self.build_event()
        return self._event

    @property
    def task_sequence_step(self) -> TaskSequenceStepWrapper:
        """Task, step, results and definition of the raw event."""
        return TaskSequenceStepWrapper.from_dict(self.event.task_sequence_step)
