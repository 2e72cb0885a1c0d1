"""A request for a task, from any door: checked once, in one place.

The API, the Python client and the request queue all come through `TaskRequest.parse`, so a limit or
an alias means the same everywhere. What is wrong is collected with JSON paths and raised together.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
)
from pydantic_core import to_json

from orchestration.conf import engine_settings
from orchestration.errors import InvalidRequestError, Problem, joined, located

# Spellings of the published README of Tasker Core, and of the API.
ALIASES = {"name": "template_name", "context": "configuration"}
MAX_OPTIONS_BYTES = 65_536
MAX_QUOTED = 100
MAX_CLOCK_SKEW = timedelta(minutes=5)


def _document(schema: dict[str, Any]) -> None:
    """Add to the JSON Schema what `parse` does before: other spellings, and null for absent."""
    properties = schema["properties"]
    for name, field in properties.items():
        if name not in schema["required"] and isinstance(field.get("type"), str):
            field["type"] = [field["type"], "null"]
    for name, alias in ALIASES.items():
        properties[alias] = {
            "description": f"The same as `{name}`.",
            **{key: value for key, value in properties[name].items() if key != "default"},
            "title": alias.replace("_", " ").title(),
        }
    del schema["required"]
    schema["anyOf"] = [{"required": ["name"]}, {"required": [ALIASES["name"]]}]


def _empty(kind: type[Any]) -> Any:
    """Return a default that is made anew for each request; a plain one would be deep-copied."""
    return Field(default_factory=kind, json_schema_extra={"default": kind()})


Tag = Annotated[StrictStr, Field(min_length=1, max_length=128)]


class TaskRequest(BaseModel):
    """What somebody wants done; only the name of the template is required."""

    model_config = ConfigDict(frozen=True, extra="ignore", json_schema_extra=_document)

    name: Annotated[StrictStr, Field(min_length=1, max_length=255)]
    namespace: Annotated[StrictStr, Field(pattern=r"^[a-z0-9_]{1,29}$")] = "default"
    version: Annotated[StrictStr, Field(min_length=1, max_length=50)] | None = None
    context: dict[str, Any] = _empty(dict)
    initiator: Annotated[StrictStr, Field(min_length=1, max_length=255)] = "unknown"
    source_system: Annotated[StrictStr, Field(min_length=1, max_length=255)] = "api"
    reason: Annotated[StrictStr, Field(max_length=500)] = ""
    tags: Annotated[list[Tag], Field(max_length=50)] = _empty(list)
    priority: Annotated[StrictInt, Field(ge=-100, le=100)] = 0
    requested_at: AwareDatetime | None = None
    correlation_id: UUID | None = None
    parent_correlation_id: UUID | None = None
    idempotency_key: Annotated[StrictStr, Field(pattern=r"^[\x20-\x7e]{1,255}$")] | None = None
    options: dict[str, Any] = _empty(dict)
    bypass_steps: list[StrictStr] = _empty(list)

    @field_validator("tags", "bypass_steps")
    @classmethod
    def _without_repeats(cls, values: list[str]) -> list[str]:
        return list(dict.fromkeys(values))

    @field_validator(
        "name", "version", "initiator", "source_system", "reason", "tags", "bypass_steps"
    )
    @classmethod
    def _without_nul(cls, value: Any) -> Any:
        texts = value if isinstance(value, str) else "".join(value or ())
        if "\x00" in texts:
            raise ValueError("holds a NUL character")
        return value

    @field_validator("requested_at", mode="before")
    @classmethod
    def _no_number(cls, value: Any) -> Any:
        is_text = isinstance(value, str) and value[4:5] == "-"  # a number would be seconds
        if value is not None and not (is_text or isinstance(value, datetime)):
            raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
        return value

    @field_validator("requested_at")
    @classmethod
    def _not_in_the_future(cls, value: datetime | None) -> datetime | None:
        if value is not None and value > timezone.now() + MAX_CLOCK_SKEW:
            raise ValueError("lies more than 5 minutes in the future")
        try:
            return value and value.astimezone(UTC)  # PostgreSQL refuses some offsets of year 1
        except OverflowError as error:
            raise ValueError("lies outside the calendar") from error

    @field_validator("context")
    @classmethod
    def _storable_context(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _storable(value, limit_bytes=engine_settings().max_context_bytes)

    @field_validator("options")
    @classmethod
    def _storable_options(cls, value: dict[str, Any]) -> dict[str, Any]:
        return _storable(value, limit_bytes=MAX_OPTIONS_BYTES)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> "TaskRequest":
        """Check a body; raise `InvalidRequestError` with every problem and its JSON path."""
        body, problems = _without_aliases(body)
        try:
            request = cls.model_validate(body)
        except ValidationError as error:
            problems += [_problem(each) for each in error.errors(include_url=False)]
        if problems:
            places = ", ".join(problem.path for problem in problems)
            raise InvalidRequestError(
                f"Cannot create a task of '{body.get('name')!s:.{MAX_QUOTED}}': the request is "
                f"wrong at {places}",
                problems=problems,
            )
        return request

    def sameness(self) -> dict[str, Any]:
        """Return the parts that make a repeated request the same request (engine.md 11)."""
        parts = {
            "namespace": self.namespace,
            "name": self.name,
            "version": self.version,
            "context": self.context,
            "priority": self.priority,
            "tags": self.tags,
            "bypass_steps": self.bypass_steps,
            "options": self.options,
            "parent_correlation_id": self.parent_correlation_id and str(self.parent_correlation_id),
        }
        return {key: value for key, value in parts.items() if value is not None}


def place_of(number: int) -> str:
    """Return what a request of many is called; the first one's number is 0."""
    return f"tasks[{number}]"


def parse_all(bodies: Iterable[Any]) -> list[TaskRequest]:
    """Check many bodies; raise `InvalidRequestError` with what is wrong with all of them."""
    requests, refusals = [], []
    for number, body in enumerate(bodies):
        try:
            if not isinstance(body, Mapping):
                raise InvalidRequestError("Cannot create a task of what is no object")
            requests.append(TaskRequest.parse(body))
        except InvalidRequestError as error:
            refusals.append(located(error, place_of(number)))
    if refusals:
        raise joined(refusals)
    return requests


def _without_aliases(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Map other spellings; null means absent; both spellings with different values is a problem."""
    plain = {key: value for key, value in body.items() if value is not None}
    problems = []
    for name, alias in ALIASES.items():
        if alias in plain:
            other = plain.pop(alias)
            if plain.setdefault(name, other) != other:
                problems.append(Problem(alias, f"is given beside '{name}' and differs from it"))
    return plain, problems


def _problem(error: Any) -> Problem:
    path = ""
    for part in error["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return Problem(path, str(error["msg"]).removeprefix("Value error, "))


def _storable(value: dict[str, Any], *, limit_bytes: int) -> dict[str, Any]:
    """Refuse what PostgreSQL cannot store unchanged, or what is larger than allowed."""
    deepest = engine_settings().max_json_depth
    for depth, item in _walk(value):
        if depth > deepest:
            raise ValueError(f"is nested deeper than {deepest} levels")
        if isinstance(item, str) and ("\x00" in item or not _is_encodable(item)):
            raise ValueError("holds a NUL character or an unpaired surrogate")
        if isinstance(item, float) and not math.isfinite(item):
            raise ValueError("holds a number that is not finite")
    try:
        size = len(to_json(value))
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error
    if size > limit_bytes:
        raise ValueError(f"is {size} bytes long; {limit_bytes} are allowed")
    return value


def _walk(value: Any, depth: int = 1) -> Iterator[tuple[int, Any]]:
    """Yield every key and value with its depth, without recursion into Python's stack."""
    waiting = [(depth, value)]
    while waiting:
        level, item = waiting.pop()
        yield level, item
        if isinstance(item, dict):
            waiting += [(level, key) for key in item]
            waiting += [(level + 1, child) for child in item.values()]
        elif isinstance(item, list | tuple):
            waiting += [(level + 1, child) for child in item]


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
