"""What a returned value means: the same for decorated functions and classes."""

from dataclasses import fields, is_dataclass
from typing import Any

from workers.results.models import StepHandlerResult


def to_result(value: Any) -> StepHandlerResult:
    """Turn what a handler returned into a result; only a `StepHandlerResult` can be a failure."""
    if isinstance(value, StepHandlerResult):
        return value
    build = StepHandlerResult.build_success
    if isinstance(value, dict):
        return build(value)
    if value is None:
        return build()
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return build(value.model_dump(mode="json"))
    if is_dataclass(value) and not isinstance(value, type):
        return build({each.name: getattr(value, each.name) for each in fields(value)})
    return build({"result": value})
