"""Query parameters: declared once in a table, read by it, and documented by it.

Unknown parameters are refused, because a misspelt filter would list everything. Every problem of a
query is told at once.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from orchestration.errors import InvalidRequestError, Problem
from orchestration.http.errors import InvalidUuidError

UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; `read` turns its text into the value, or raises ValueError."""

    name: str
    read: Callable[[str], Any]
    help: str
    schema: dict[str, Any]
    default: Any = None
    alias: str = ""
    is_list: bool = False  # repeatable, or separated by commas where `commas`
    commas: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its alias."""
        return (self.name, self.alias) if self.alias else (self.name,)

    def documented(self) -> list[OpenApiParameter]:
        """Return the parameter, and its alias, for the OpenAPI document."""
        schema = dict(self.schema)
        if self.is_list:
            schema = {"type": "array", "items": schema}
        elif self.default is not None:
            schema["default"] = self.default
        texts = [self.help, f"The same as `{self.name}`."]
        return [
            OpenApiParameter(name, schema, description=text, explode=True if self.is_list else None)
            for name, text in zip(self.names, texts, strict=False)
        ]


def text(name: str, help: str, *, longest: int = 255, **more: Any) -> Parameter:  # noqa: A002
    """Return a parameter that is a text."""

    def read(given: str) -> str:
        if not 1 <= len(given) <= longest:
            raise ValueError(f"must have 1 to {longest} characters")
        return given

    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return Parameter(name=name, read=read, help=help, schema=schema, **more)


def integer(name: str, help: str, *, least: int, greatest: int, **more: Any) -> Parameter:  # noqa: A002
    """Return a parameter that is a whole number in a range."""

    def read(given: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,10}", given) or not least <= int(given) <= greatest:
            raise ValueError(f"must be a whole number from {least} to {greatest}")
        return int(given)

    schema = {"type": "integer", "minimum": least, "maximum": greatest}
    return Parameter(name=name, read=read, help=help, schema=schema, **more)


def moment(name: str, help: str, **more: Any) -> Parameter:  # noqa: A002
    """Return a parameter that is a time with its offset."""

    def read(given: str) -> datetime:
        wanted = "must be a time such as 2026-01-31T12:00:00Z (write + as %2B)"
        found = parse_datetime(given)
        if found is None or found.tzinfo is None:
            raise ValueError(wanted)
        try:
            return found.astimezone(UTC)
        except OverflowError as error:
            raise ValueError(wanted) from error

    schema = {"type": "string", "format": "date-time"}
    return Parameter(name=name, read=read, help=help, schema=schema, **more)


def uuid(name: str, help: str, **more: Any) -> Parameter:  # noqa: A002
    """Return a parameter that is a UUID."""

    def read(given: str) -> UUID:
        if not UUID_TEXT.fullmatch(given):
            raise ValueError("must be a UUID")
        return UUID(given)

    schema = {"type": "string", "format": "uuid"}
    return Parameter(name=name, read=read, help=help, schema=schema, **more)


def choice(name: str, help: str, *, choices: Sequence[str], **more: Any) -> Parameter:  # noqa: A002
    """Return a parameter that is one of some words; PascalCase is understood too."""

    def read(given: str) -> str:
        word = snake_case(given)
        if word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    schema = {"type": "string", "enum": list(choices)}
    return Parameter(name=name, read=read, help=help, schema=schema, **more)


def listed(parameter: Parameter, *, commas: bool = False) -> Parameter:
    """Return a parameter that may be given several times."""
    return replace(parameter, is_list=True, commas=commas, default=())


def snake_case(word: str) -> str:
    """Return `ManuallyResolved` as `manually_resolved`; snake case stays as it is."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower() if word[:1].isupper() else word


def documented(parameters: Iterable[Parameter]) -> list[OpenApiParameter]:
    """Return the parameters for the OpenAPI document."""
    return [each for parameter in parameters for each in parameter.documented()]


def read_query(request: Request, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the value of every declared parameter; raises `InvalidRequestError`."""
    _check_text(request.META.get("QUERY_STRING", ""))
    return read_texts(dict(request.query_params.lists()), parameters)


def read_texts(
    given: Mapping[str, Sequence[str]], parameters: Sequence[Parameter]
) -> dict[str, Any]:
    """Return the value of every declared parameter from texts by name, wherever they are from."""
    known = {name for parameter in parameters for name in parameter.names}
    problems = [
        Problem(
            name, f"is no parameter of this call; known are {', '.join(sorted(known)) or 'none'}"
        )
        for name in given
        if name not in known
    ]
    values = {}
    for parameter in parameters:
        texts = [each for name in parameter.names for each in given.get(name, ())]
        try:
            values[parameter.name] = _value(parameter, texts)
        except ValueError as error:
            problems.append(Problem(parameter.name, str(error)))
    if problems:
        raise query_error(problems)
    return values


def query_error(problems: Sequence[Problem]) -> InvalidRequestError:
    """Return the error that tells about wrong parameters."""
    told = "; ".join(f"'{problem.path}' {problem.message}" for problem in problems)
    return InvalidRequestError(f"The query is wrong: {told}", problems=problems)


def read_uuid(given: str, what: str) -> UUID:
    """Return an id of the path; raises `InvalidUuidError`."""
    if not UUID_TEXT.fullmatch(given):
        raise InvalidUuidError(f"{given[:60]!r} in the path is no UUID of a {what}")
    return UUID(given)


def read_name(given: str, what: str) -> str:
    """Return a name of the path; raises `InvalidRequestError` for what no name can hold."""
    if "\0" in given:
        raise InvalidRequestError(f"The {what} in the path holds a NUL character")
    return given


def _value(parameter: Parameter, texts: list[str]) -> Any:
    if parameter.is_list:
        if parameter.commas:
            texts = [part for each in texts for part in each.split(",")]
        return tuple(dict.fromkeys(parameter.read(each) for each in texts))
    if len(set(texts)) > 1:
        raise ValueError("is given more than once")
    return parameter.read(texts[0]) if texts else parameter.default


def _check_text(raw: str) -> None:
    """Refuse what Django would replace or the database would refuse."""
    plain = unquote_to_bytes(raw)
    try:
        plain.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequestError("The query is not UTF-8") from error
    if b"\x00" in plain:
        raise InvalidRequestError("The query holds a NUL character")
