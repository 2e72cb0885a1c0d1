"""From pydantic's errors to findings of ours: code, path as written, step, a plain sentence."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from templates_registry.errors import MAX_FINDINGS, SEVERITY_OF, Finding, finding
from templates_registry.schema.paths import path_text, step_index
from templates_registry.schema.spelling import Spelled
from templates_registry.schema.template import TaskTemplate

_RANGES = frozenset(
    ["greater_than_equal", "less_than_equal", "string_too_long", "string_too_short"]
)
_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "literal_error": "text",
}


def build(data: Any, spelled: Spelled) -> tuple[TaskTemplate | None, list[Finding]]:
    """Return the template that the canonical data describes, or why it describes none."""
    try:
        return TaskTemplate.model_validate(data), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)[:MAX_FINDINGS]
        return None, [_translated(each, data, spelled) for each in details]


def _translated(error: ErrorDetails, data: Any, spelled: Spelled) -> Finding:
    code, message = _code_and_message(error)
    index = step_index(error["loc"])
    name = step_name(data, index) if index is not None else None
    return finding(code, message, path=path_text(spelled.as_written(error["loc"])), step=name)


def _code_and_message(error: ErrorDetails) -> tuple[str, str]:
    kind, value = error["type"], error["input"]
    if kind in SEVERITY_OF:
        return kind, error["msg"]
    if kind == "missing":
        return "MISSING_FIELD", "This key is required."
    if kind == "literal_error" and isinstance(value, str):
        return "INVALID_ENUM", f"{value!r} is not allowed; use {error['ctx']['expected']}."
    if kind in _RANGES:
        return "VALUE_OUT_OF_RANGE", f"{_shown(value)}: {error['msg'].replace('Input s', 's')}."
    return "INVALID_TYPE", _type_message(value, _KINDS.get(kind, ""), error["msg"])


def _type_message(value: Any, wanted: str, fallback: str) -> str:
    """Say what was found and what is wanted; a bare yes, no or on gets its hint."""
    message = f"{_shown(value)} found, {wanted} wanted" if wanted else fallback
    if wanted == "text" and isinstance(value, bool):
        return f"{message}; quote it (a bare yes, no or on is true or false)."
    if wanted == "text" and isinstance(value, int | float):
        return f"{message}; quote it."
    return f"{message}."


def _shown(value: Any) -> str:
    """Return a value as a message shows it, cut short."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = {None: "null", True: "true", False: "false"}.get(value) if _is_word(value) else None
    text = text or repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def step_name(data: Any, index: int) -> str | None:
    """Return the name of a step of a template that may be broken."""
    steps: Iterable[Any] = data.get("steps") or []
    step = list(steps)[index] if isinstance(steps, list) and index < len(steps) else None
    name = step.get("name") if isinstance(step, dict) else None
    return name if isinstance(name, str) else None
