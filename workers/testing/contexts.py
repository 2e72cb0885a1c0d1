"""Contexts for handlers under test, without a database: what a worker would have passed.

Everything goes through the raw event, as published code does it, so that `context.event` and the
plain members tell the same story.
"""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack
from uuid import UUID, uuid4

from workers.context import FfiStepEvent, StepContext

TEMPLATE_STEP_KEY = "__template_step_name"
ORCHESTRATION_KEY = "orchestration_metadata"  # no handler's result has it, an execution result does


class TaskParts(TypedDict, total=False):
    """What a test may say about the task beyond its inputs."""

    task_uuid: UUID | str
    task_name: str
    task_version: str
    parent_correlation_id: UUID | str
    priority: int
    tags: list[str]
    initiator: str
    source_system: str
    reason: str
    created_at: str


def execution_result(
    result: Any = None,
    success: bool = True,
    *,
    error_type: str = "handler_error",
    message: str = "failed by the test",
) -> dict[str, Any]:
    """Return what is stored for a step whose handler gave `result`, or failed."""
    error = None if success else {"message": message, "error_type": error_type, "retryable": False}
    return {
        "success": success,
        "status": "completed" if success else "failed",
        "result": ({} if result is None else result) if success else {},
        "metadata": {"error_type": None if success else error_type, "custom": {}, "context": {}},
        "error": error,
        ORCHESTRATION_KEY: {"headers": {}, "backoff_hint": None, "custom": {}},
    }


def make_context(  # noqa: PLR0913 - the signature of the design
    *,
    inputs: Mapping[str, Any] | None = None,
    dependencies: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    step_inputs: Mapping[str, Any] | None = None,
    step: str = "step",
    namespace: str = "test",
    attempt: int = 1,
    max_attempts: int = 3,
    checkpoint: Mapping[str, Any] | None = None,
    correlation_id: UUID | str | None = None,
    **task: Unpack[TaskParts],
) -> StepContext:
    """Return the context of one dispatch.

    `inputs` is the task's context, `config` the handler's `initialization`. `dependencies` holds
    what the handlers of earlier steps gave; a value of `execution_result` is taken whole.
    """
    _refuse_impossible(task, attempt)
    own_inputs = dict(config or {}) if step_inputs is None else dict(step_inputs)
    template_step = str(own_inputs.get(TEMPLATE_STEP_KEY, step))
    callable_name = f"{namespace}.{template_step}"
    event = _event(
        {**task, "context": dict(inputs or {}), "namespace": namespace},
        correlation_id=str(correlation_id or uuid4()),
        step={
            "name": step,
            "template_step_name": template_step,
            "attempts": attempt - 1,
            "max_attempts": max_attempts,
            "inputs": own_inputs,
            "checkpoint": None if checkpoint is None else dict(checkpoint),
        },
        definition={
            "name": template_step,
            "handler": {"callable": callable_name, "initialization": dict(config or {})},
        },
        dependencies={
            name: _as_execution_result(value) for name, value in (dependencies or {}).items()
        },
    )
    return StepContext.from_ffi_event(event, callable_name)


def _refuse_impossible(task: Mapping[str, Any], attempt: int) -> None:
    if unknown := sorted(set(task) - set(TaskParts.__annotations__)):
        raise TypeError(f"make_context() knows no keyword {', '.join(unknown)}")
    if attempt < 1:
        raise ValueError(f"Attempts count from 1; attempt={attempt} cannot be")


def make_batch_context(
    start: Any,
    end: Any,
    *,
    batch_id: str = "001",
    checkpoint: Mapping[str, Any] | None = None,
    no_op: bool = False,
    **rest: Any,
) -> StepContext:
    """Return the context of a batch instance that works from `start` to before `end`.

    Further keywords are those of `make_context`; `step` names the batch worker of the template.
    """
    template_step = rest.pop("step", "step")
    cursor = {"batch_id": batch_id, "start_cursor": start, "end_cursor": end}
    if isinstance(start, int) and isinstance(end, int):
        cursor["batch_size"] = end - start
    instance = {
        "cursor": cursor,
        "batch_metadata": {
            "cursor_field": "id",
            "failure_strategy": "continue_on_failure",
            "batch_index": 0,
            "total_batches": 1,
        },
        "is_no_op": no_op,
        TEMPLATE_STEP_KEY: template_step,
    }
    given = {**(rest.get("config") or {}), **(rest.pop("step_inputs", None) or {})}
    return make_context(
        step=f"{template_step}_{batch_id}",
        step_inputs={**given, **instance},
        checkpoint=checkpoint,
        **rest,
    )


def _event(
    task: Mapping[str, Any],
    *,
    correlation_id: str,
    step: dict[str, Any],
    definition: dict[str, Any],
    dependencies: dict[str, Any],
) -> FfiStepEvent:
    """Build the raw event (handlers.md 3.9.1)."""
    known = {key: str(value) if isinstance(value, UUID) else value for key, value in task.items()}
    task_uuid, step_uuid = known.pop("task_uuid", None) or str(uuid4()), str(uuid4())
    names = {key: known.pop(key, "") for key in ("task_name", "task_version")}
    own = {"task_uuid": task_uuid, "correlation_id": correlation_id, **known}
    return FfiStepEvent(
        event_id=str(uuid4()),
        task_uuid=task_uuid,
        step_uuid=step_uuid,
        correlation_id=correlation_id,
        task_correlation_id=correlation_id,
        parent_correlation_id=known.get("parent_correlation_id"),
        task_sequence_step={
            "task": {"task": own, **names, "namespace_name": known["namespace"]},
            "workflow_step": {"workflow_step_uuid": step_uuid, "task_uuid": task_uuid, **step},
            "dependency_results": dependencies,
            "step_definition": definition,
        },
    )


def _as_execution_result(value: Any) -> Any:
    """Wrap what a handler gave, unless it is an execution result already."""
    is_whole = isinstance(value, dict) and ORCHESTRATION_KEY in value
    return value if is_whole else execution_result(value)
