"""The JSON parser of the API: takes what can be stored unchanged, and says where it cannot.

Python's own reader accepts repeated keys, NaN and lone surrogates; here each is refused with its
place, before anything looks at the values.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from orchestration.conf import engine_settings
from orchestration.errors import Problem
from orchestration.http.errors import JsonError, PayloadTooLargeError


class StrictJSONParser(BaseParser):
    """Reads one JSON object in UTF-8."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Return the object; raises `JsonError` or `PayloadTooLargeError`."""
        limit = engine_settings().api_max_body_bytes
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLargeError(f"The body is larger than {limit} bytes")
        return read_object(body)


def body_of(request: Request) -> dict[str, Any]:
    """Return the body of a request; an absent one is no JSON object either."""
    body = request.data  # also when it is absent: a wrong content type is told first
    if not isinstance(body, dict) or request.META.get("CONTENT_LENGTH", "") in {"", "0"}:
        raise JsonError("The body is empty; send a JSON object")
    return body


def read_body(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    """Return the fields of a body; raises `JsonError`, or `ValidationError` naming them."""
    body = serializer(data=body_of(request))
    body.is_valid(raise_exception=True)
    fields: dict[str, Any] = body.validated_data
    return fields


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; raises `JsonError` naming what is wrong with it."""
    try:
        text = body.decode("utf-8")
        found = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_float
        )
    except RecursionError as error:
        raise JsonError("The body is nested deeper than the parser takes") from error
    except UnicodeDecodeError as error:
        raise JsonError(f"The body is not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        raise JsonError(f"The body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise JsonError(f"The body is a JSON {_kind(found)}; send an object")
    if "\\u" in text and (problems := list(_unstorable(found))):
        raise JsonError("The body holds characters that cannot be stored", problems=problems)
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {repeated!r} is there twice in one object")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _kind(value: Any) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(
        type(value), "number"
    )


def _unstorable(found: Any) -> Iterator[Problem]:
    """Yield the place of every string with a NUL character or an unpaired surrogate."""
    waiting: list[tuple[str, Any]] = [("", found)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            for key, each in value.items():
                place = f"{path}.{key}".lstrip(".")
                waiting.append((place, each))
                waiting.append((place, key))
        elif isinstance(value, list):
            waiting += [(f"{path}[{place}]", each) for place, each in enumerate(value)]
        elif isinstance(value, str) and not _is_storable(value):
            shown = path.encode("ascii", "backslashreplace").decode()
            yield Problem(shown, "holds a NUL character or an unpaired surrogate")


def _is_storable(text: str) -> bool:
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False
