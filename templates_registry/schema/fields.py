"""Kinds of value that templates are made of: names, numbers in a range, JSON Schemas.

Each is a type for the models of `template.py`; a value that does not fit raises an error whose type
is the code of a finding, or one of pydantic's own that `shapes.py` translates.
"""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from templates_registry.schema.json_schema import schema_problem

MAX_NAMESPACE = 29
_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,28}")
_EVENT_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_PUBLISHER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*((\.|::)[A-Za-z_][A-Za-z0-9_]*)*")
_UNPRINTABLE = frozenset(["Cc", "Cs", "Zl", "Zp"])


def wrong(code: str, message: str) -> PydanticCustomError:
    """Return a validation error that becomes a finding of this code."""
    return PydanticCustomError(code, "{text}", {"text": message})


def _checked_name(name: str) -> str:
    if not name or name != name.strip():
        raise wrong("INVALID_NAME", f"{name!r} must not be empty or begin or end with a blank.")
    if name in (".", "..") or "/" in name:
        raise wrong("INVALID_NAME", f"{name!r} stands in URLs: no '/', and not '.' or '..'.")
    if any(unicodedata.category(letter) in _UNPRINTABLE for letter in name):
        raise wrong("INVALID_NAME", f"{name!r} contains a control character.")
    return name


def _checked_step_name(name: str) -> str:
    if name == "ALL":
        raise wrong("INVALID_NAME", "'ALL' means every step in overrides; choose another name.")
    return _checked_name(name)


def _checked_namespace(name: str) -> str:
    if len(name) > MAX_NAMESPACE:
        raise wrong(
            "NAMESPACE_TOO_LONG",
            f"{name!r} has {len(name)} characters, {MAX_NAMESPACE} fit into a queue name.",
        )
    if not _NAMESPACE.fullmatch(name):
        raise wrong("INVALID_NAME", f"{name!r} must match ^{_NAMESPACE.pattern}$.")
    if name.startswith("orchestration"):
        raise wrong("INVALID_NAME", "Names starting with 'orchestration' belong to the engine.")
    return name


def _checked_callable(text: str) -> str:
    if not text.strip():
        raise wrong("EMPTY_CALLABLE", "Name the handler, as in payments.capture.")
    return text


def _checked_method(name: str) -> str:
    if not name or name.startswith("_"):
        raise wrong("INVALID_NAME", f"{name!r} must be the name of a public method.")
    return name


def _checked_event_name(name: str) -> str:
    if not _EVENT_NAME.fullmatch(name):
        raise wrong(
            "INVALID_EVENT_NAME",
            f"{name!r} must be lower-case words joined by dots, as in payment.captured.",
        )
    return name


def _checked_publisher(name: str) -> str:
    if not _PUBLISHER.fullmatch(name):
        raise wrong("INVALID_PUBLISHER", f"{name!r} must be identifiers joined by '.' or '::'.")
    return name


def _checked_time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong("INVALID_TYPE", f"{text!r} is not an ISO 8601 date or time.") from error
    return text


def _checked_schema(schema: dict[str, Any]) -> dict[str, Any]:
    if problem := schema_problem(schema):
        raise wrong("INVALID_SCHEMA", problem)
    return schema


Name = Annotated[str, Field(max_length=255), AfterValidator(_checked_name)]
Version = Annotated[str, Field(max_length=50), AfterValidator(_checked_name)]
Namespace = Annotated[
    str,
    AfterValidator(_checked_namespace),
    Field(json_schema_extra={"pattern": f"^{_NAMESPACE.pattern}$"}),
]
StepName = Annotated[str, Field(max_length=128), AfterValidator(_checked_step_name)]
SystemName = Annotated[str, Field(max_length=64), AfterValidator(_checked_name)]
Callable = Annotated[str, Field(max_length=500), AfterValidator(_checked_callable)]
Method = Annotated[str, AfterValidator(_checked_method)]
EventName = Annotated[
    str,
    AfterValidator(_checked_event_name),
    Field(json_schema_extra={"pattern": f"^{_EVENT_NAME.pattern}$"}),
]
Publisher = Annotated[
    str,
    AfterValidator(_checked_publisher),
    Field(json_schema_extra={"pattern": f"^{_PUBLISHER.pattern}$"}),
]
TimeText = Annotated[str, AfterValidator(_checked_time)]
JsonSchema = Annotated[dict[str, Any], AfterValidator(_checked_schema)]
Attempts = Annotated[int, Field(ge=0, le=100)]
Milliseconds = Annotated[int, Field(ge=0, le=3_600_000)]
TimeoutSeconds = Annotated[int, Field(ge=1, le=86_400)]
WaitingMinutes = Annotated[int, Field(ge=1, le=10_080)]
