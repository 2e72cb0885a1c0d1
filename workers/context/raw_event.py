"""The step as one message in the published shape, and typed wrappers around its parts.

Every wrapper is lenient: a missing part becomes its empty default, an unknown key is ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class FfiStepEvent(BaseModel):
    """A step to run, with everything known about it."""

    model_config = ConfigDict(frozen=True)

    event_id: str = ""
    task_uuid: str = ""
    step_uuid: str = ""
    correlation_id: str = ""
    task_correlation_id: str | None = None
    parent_correlation_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    task_sequence_step: dict[str, Any] = Field(default_factory=dict)


def as_uuid(text: str) -> UUID:
    """Return the UUID that a text holds, the nil UUID when it holds none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def mapping(source: Mapping[str, Any] | None, key: str) -> dict[str, Any]:
    """Return the dict under a key, an empty one when it is absent or something else."""
    value = (source or {}).get(key)
    return value if isinstance(value, dict) else {}


def _known(owner: type, data: Mapping[str, Any] | None) -> dict[str, Any]:
    names = {each.name for each in fields(owner)}
    given = (data or {}).items()
    return {key: value for key, value in given if key in names and value is not None}


_TIMES = ("processed_at", "last_attempted_at", "created_at", "updated_at")


def _moment(value: Any) -> datetime | None:
    """Return a time given as ISO text, None for what is none."""
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


@dataclass
class TaskWrapper:
    """The task of the step; accepts the nested message part as well as a flat dict."""

    task_uuid: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    namespace_name: str = ""
    task_name: str = ""
    task_version: str = ""
    correlation_id: str | None = None
    parent_correlation_id: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self:
        """Build it from `{task: {…}, task_name, …}` or from the same keys on one level."""
        data = data or {}
        inner = mapping(data, "task")
        merged = {**inner, **{key: value for key, value in data.items() if key != "task"}}
        merged.setdefault("namespace_name", merged.get("namespace"))
        return cls(**_known(cls, merged))


@dataclass
class WorkflowStepWrapper:
    """The row of the step."""

    workflow_step_uuid: str = ""
    task_uuid: str = ""
    name: str = ""
    named_step_uuid: str | None = None
    retryable: bool = True
    max_attempts: int = 3
    in_process: bool = False
    processed: bool = False
    processed_at: datetime | None = None
    attempts: int = 0
    last_attempted_at: datetime | None = None
    backoff_request_seconds: int = 0
    inputs: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    checkpoint: dict[str, Any] | None = None
    template_step_name: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self:
        """Build it from the message part `workflow_step`, whose times are ISO texts."""
        known = _known(cls, data)
        return cls(**known | {name: _moment(known[name]) for name in _TIMES if name in known})


@dataclass
class DependencyResultsWrapper:
    """Execution results of the ancestors by step name."""

    _results: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self:
        """Build it from the message part `dependency_results`."""
        return cls(dict(data or {}))

    def get_result(self, step_name: str) -> Any:
        """Return the whole execution result of a step, None when absent."""
        return self._results.get(step_name)

    def get_results(self, step_name: str) -> Any:
        """Return what the handler of a step gave back, None when absent."""
        value = self._results.get(step_name)
        return value["result"] if isinstance(value, dict) and "result" in value else value

    def __getitem__(self, step_name: str) -> Any:
        return self._results[step_name]

    def __contains__(self, step_name: object) -> bool:
        return step_name in self._results

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def keys(self) -> list[str]:
        """Return the step names."""
        return list(self._results)


@dataclass
class HandlerWrapper:
    """The handler that the template names."""

    callable: str = ""
    initialization: dict[str, Any] = field(default_factory=dict)
    handler_method: str | None = None
    resolver: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self:
        """Build it from the template's `handler` map, whose key for the method is `method`."""
        data = data or {}
        return cls(**_known(cls, {"handler_method": data.get("method"), **data}))


@dataclass
class StepDefinitionWrapper:
    """The template step."""

    name: str = ""
    description: str = ""
    handler: HandlerWrapper = field(default_factory=HandlerWrapper)
    dependencies: list[str] = field(default_factory=list)
    retry: dict[str, Any] = field(default_factory=dict)
    timeout_seconds: int = 30
    publishes_events: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self:
        """Build it from the message part `step_definition`."""
        values = _known(cls, data)
        values["handler"] = HandlerWrapper.from_dict(mapping(data, "handler"))
        return cls(**values)


@dataclass
class TaskSequenceStepWrapper:
    """All four parts of a step message."""

    task: TaskWrapper
    workflow_step: WorkflowStepWrapper
    dependency_results: DependencyResultsWrapper
    step_definition: StepDefinitionWrapper

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Self:
        """Build it from the message."""
        return cls(
            task=TaskWrapper.from_dict(mapping(data, "task")),
            workflow_step=WorkflowStepWrapper.from_dict(mapping(data, "workflow_step")),
            dependency_results=DependencyResultsWrapper.from_dict(
                mapping(data, "dependency_results")
            ),
            step_definition=StepDefinitionWrapper.from_dict(mapping(data, "step_definition")),
        )

    def get_task_field(self, field_name: str) -> Any:
        """Return a value of the task's context, None when absent."""
        return self.task.context.get(field_name)

    def get_dependency_result(self, step_name: str) -> Any:
        """Return the whole execution result of a step, None when absent."""
        return self.dependency_results.get_result(step_name)

    def get_results(self, step_name: str) -> Any:
        """Return what the handler of a step gave back, None when absent."""
        return self.dependency_results.get_results(step_name)
