"""JSON text that PostgreSQL accepts as jsonb, from whatever a handler returned."""

import re
from typing import Any

from pydantic_core import from_json, to_json

# \u0000 as an escape, not as the end of an escaped backslash followed by "u0000".
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class NotSerializable(Exception):  # noqa: N818 - the design's word
    """A value that JSON, or PostgreSQL's jsonb, cannot hold."""


def dump(value: Any) -> bytes:
    """Return a value as JSON text; raises NotSerializable."""
    try:
        text = to_json(value, inf_nan_mode="null")
    except Exception as error:
        raise NotSerializable(f"{type(error).__name__}: {error}") from error
    if b"\\u0000" in text and _NUL.search(text):
        raise NotSerializable("a text holds U+0000, which PostgreSQL refuses")
    return text


def clean(text: str) -> str:
    """Return a message of ours without what PostgreSQL refuses in text."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def to_plain(value: Any) -> Any:
    """Return a value as plain JSON values, a copy; raises NotSerializable."""
    text = dump(value)
    try:
        return from_json(text)
    except ValueError as error:
        raise NotSerializable(f"nobody could read it back: {error}") from error
