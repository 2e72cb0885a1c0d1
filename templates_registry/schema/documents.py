"""What a template is before anything is known about its keys: plain data within limits.

A document comes from YAML (`reading.py`) or from plain data such as a JSON body (`read_data`). What
can be neither JSON nor stored is refused here: numbers that are not finite, NUL characters, lone
surrogates, keys that are no text, too much of anything.
"""

import math
from typing import Any, NamedTuple

from templates_registry.errors import MAX_FINDINGS, Finding, finding
from templates_registry.schema.paths import Location, path_text

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 500_000
MAX_DEPTH = 64
MAX_NUMBER_DIGITS = 300
REFUSED: Any = None


class Document(NamedTuple):
    """Plain data, with what was noticed while reading it."""

    data: Any
    line: int  # where it begins in its text
    findings: tuple[Finding, ...]
    unread: frozenset[str]  # paths whose value was refused and stands as null in `data`


class UnreadableError(Exception):
    """A text or its data cannot be read at all."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.finding = finding(code, message)


class Reader:
    """Counts and collects while one document is read."""

    def __init__(self) -> None:
        self.nodes = 0
        self.findings: list[Finding] = []
        self.unread: set[str] = set()

    def count(self, depth: int) -> None:
        """Count one value at a depth; raises `UnreadableError` beyond the limits."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise UnreadableError(
                "TOO_LARGE", f"More than {MAX_NODES:,} values; split the template."
            )
        if depth > MAX_DEPTH:
            raise UnreadableError("TOO_LARGE", f"Nested more than {MAX_DEPTH} levels deep.")

    def refuse(self, code: str, message: str, at: Location) -> Any:
        """Note that a value cannot be used, and return the null that stands in its place."""
        path = path_text(at)
        self.unread.add(path)
        self.note(code, message, path)
        return REFUSED

    def note(self, code: str, message: str, path: str) -> None:
        """Add a finding, all of which are errors here, unless there are plenty."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding(code, message, path=path))

    def text(self, text: str, at: Location) -> Any:
        """Return a text that can be stored."""
        if "\0" in text:
            return self.refuse("INVALID_TYPE", "A NUL character cannot be stored.", at)
        return text

    def result(self, data: Any, line: int) -> Document:
        """Return the finished document."""
        return Document(data, line, tuple(self.findings), frozenset(self.unread))


def read_data(data: Any) -> Document:
    """Return plain data, as from JSON; raises `UnreadableError` beyond the limits."""
    reader = Reader()
    return reader.result(_value(reader, data, ()), 0)


def _value(reader: Reader, value: Any, at: Location) -> Any:
    reader.count(len(at) + 1)
    if isinstance(value, dict):
        named = {_key(reader, key, at): each for key, each in value.items()}
        return {key: _value(reader, each, (*at, key)) for key, each in named.items()}
    if isinstance(value, list):
        return [_value(reader, each, (*at, number)) for number, each in enumerate(value)]
    if isinstance(value, str):
        return _text(reader, value, at)
    if problem := _number_problem(value):
        return reader.refuse("INVALID_TYPE", problem, at)
    return value


def _key(reader: Reader, key: Any, at: Location) -> str:
    """Return a key as text that can be printed, having refused what is no good text."""
    if not isinstance(key, str):
        shown = f"({type(key).__name__})" if _number_problem(key) else str(key)
        reader.refuse("INVALID_TYPE", "A key must be text.", (*at, shown))
        return shown
    printable = key.encode("utf-8", "backslashreplace").decode()
    _text(reader, key, (*at, printable))
    return printable


def _text(reader: Reader, text: str, at: Location) -> Any:
    if any("\ud800" <= letter <= "\udfff" for letter in text) if not text.isascii() else False:
        return reader.refuse("INVALID_TYPE", "A lone surrogate cannot be stored.", at)
    return reader.text(text, at)


def _number_problem(value: Any) -> str | None:
    """Return why a value that is neither text nor container cannot be kept."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value} is not a finite number."
    if isinstance(value, int):
        is_short = value.bit_length() < MAX_NUMBER_DIGITS * 3
        return None if is_short else "A number has too many digits; write it as text."
    return f"{type(value).__name__} is no JSON value."
