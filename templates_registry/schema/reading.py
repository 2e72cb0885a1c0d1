"""From YAML text to plain data, within limits, before any object is built.

Walks the parser's events instead of using a YAML loader: no tag can build an object, aliases are
refused, a repeated key is an error, and size, nodes and nesting are counted on the way. Keys and
timestamps keep their source text, and so does the version of a template (`1.10` is not 1.1).

Why events: PyYAML's loaders resolve keys (`on:` becomes True) and numbers before anyone can look
at the text, and expand aliases first. Scalars are read as YAML 1.1 does (`yes` is true, 0x1F is
31), except that `12:30` stays text instead of becoming 750.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from templates_registry.schema.documents import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NUMBER_DIGITS,
    Document,
    Reader,
    UnreadableError,
)
from templates_registry.schema.paths import Location, path_text

_BOOLEANS = {
    **dict.fromkeys(["yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
}
_NULLS = frozenset(["", "~", "null", "Null", "NULL"])
_INTEGER = re.compile(
    r"([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0([0-7_]+)|(0|[1-9][0-9_]*))", re.ASCII
)
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?", re.ASCII)
_NOT_A_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_STANDARD = "tag:yaml.org,2002:"


def read_documents(text: str | bytes) -> list[Document]:
    """Return the documents of a YAML text, empty ones left out; raises `UnreadableError`."""
    source = _checked_text(text)
    reader = _YamlReader(source)
    try:
        return [document for document in reader.documents() if document.data is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if error.problem == "exceeded maximum nesting depth":  # libyaml's own limit
            raise UnreadableError("TOO_LARGE", f"Nested more than {MAX_DEPTH} levels.") from error
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise UnreadableError("INVALID_YAML", f"{where}{error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        raise UnreadableError(
            "INVALID_YAML", f"position {error.position}: {error.reason}"
        ) from error


def _checked_text(text: str | bytes) -> str:
    """Return the text without byte order mark, after looking at its size and encoding."""
    try:
        raw = text.encode() if isinstance(text, str) else text
        if len(raw) > MAX_BYTES:
            raise UnreadableError("TOO_LARGE", f"More than {MAX_BYTES:,} bytes; split the file.")
        return raw.decode("utf-8-sig")
    except UnicodeError as error:
        raise UnreadableError("INVALID_YAML", f"The text is not UTF-8: {error}.") from error


class _YamlReader(Reader):
    """Builds the documents of one text from the parser's events."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))

    def documents(self) -> Iterator[Document]:
        """Yield every document in turn."""
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent) and event.start_mark:
                self.findings, self.unread = [], set()
                data = self._node(next(self.events), (), 1)
                yield self.result(data, event.start_mark.line + 1)

    def _node(self, event: Any, at: Location, depth: int) -> Any:
        self.count(depth)
        if event.anchor is not None:
            return self._anchored(event, at, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, at)
        self._check_tag(event, at)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(at, depth)
        return self._sequence(at, depth)

    def _anchored(self, event: Any, at: Location, depth: int) -> Any:
        """Refuse an anchor or alias; an anchor's own value is still looked at."""
        line = event.start_mark.line + 1
        message = f"Line {line}: anchors and aliases are not allowed; write the value out."
        if isinstance(event, yaml.AliasEvent):
            return self.refuse("ALIAS_NOT_ALLOWED", message, at)
        self.note("ALIAS_NOT_ALLOWED", message, path_text(at))
        event.anchor = None
        self.nodes -= 1
        return self._node(event, at, depth)

    def _mapping(self, at: Location, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, at, depth)
            value_event = next(self.events)
            if not at and key == "version" and _is_number(value_event):
                value_event.implicit = (False, True)
            inside = (*at, key)
            value = self._node(value_event, inside, depth + 1)
            if key not in found:
                found[key] = value
                continue
            line = event.start_mark.line + 1
            message = f"Line {line}: the key {key!r} is repeated; keep one."
            self.note("DUPLICATE_KEY", message, path_text(inside))
        return found

    def _key(self, event: Any, at: Location, depth: int) -> str:
        """Return a key as its source text; one that is no scalar is refused."""
        is_alias_or_anchor = event.anchor is not None
        value = event.value if isinstance(event, yaml.ScalarEvent) else None
        if is_alias_or_anchor or value is None:
            self._node(event, (*at, "?"), depth + 1)
        if value is None and not isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1
            self.refuse("INVALID_TYPE", f"Line {line}: a key must be text.", (*at, "?"))
        return "?" if value is None else str(self.text(value, (*at, "?")) or value)

    def _sequence(self, at: Location, depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*at, len(found)), depth + 1))
        return found

    def _scalar(self, event: Any, at: Location) -> Any:
        tag, text = event.tag, event.value
        if tag is None and event.implicit[0]:
            return self._plain(text, at)
        if tag in (None, "!", f"{_STANDARD}str", f"{_STANDARD}timestamp"):
            return self.text(text, at)
        if not self._check_tag(event, at):
            return None
        value = self._plain(text, at)
        return self._as_tagged(value, tag.removeprefix(_STANDARD), at)

    def _as_tagged(self, value: Any, tag: str, at: Location) -> Any:
        kinds = {"int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)}
        if path_text(at) in self.unread or type(value) in kinds.get(tag, ()):
            return value
        return self.refuse("INVALID_TYPE", f"{value!r} cannot be read as !!{tag}.", at)

    def _check_tag(self, event: Any, at: Location) -> bool:
        """Refuse tags that build objects; say whether this one is harmless."""
        allowed = {"ScalarEvent": "int float bool null", "MappingStartEvent": "map"}
        names = allowed.get(type(event).__name__, "seq").split()
        if event.tag in (None, "!", *(f"{_STANDARD}{name}" for name in names)):
            return True
        shown = event.tag.replace(_STANDARD, "!!")
        code = "INVALID_TYPE" if event.tag.startswith(_STANDARD) else "INVALID_YAML"
        if "python" in event.tag:
            code = "INVALID_YAML"
        self.refuse(code, f"The tag {shown} is not allowed; write plain values.", at)
        return False

    def _plain(self, text: str, at: Location) -> Any:
        """Return the value of a scalar that is written without quotes."""
        if text in _NULLS:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if text[0] not in "+-.0123456789":
            return text
        if match := _INTEGER.fullmatch(text):
            return self._integer(match, at)
        if _FLOAT.fullmatch(text):
            number = float(text.replace("_", ""))
            if math.isfinite(number):
                return number
        elif not _NOT_A_NUMBER.fullmatch(text):
            return text
        return self.refuse("INVALID_TYPE", f"{text} is not a finite number.", at)

    def _integer(self, match: "re.Match[str]", at: Location) -> Any:
        sign, binary, hexadecimal, octal, decimal = match.groups()
        digits = next(each for each in (binary, hexadecimal, octal, decimal) if each is not None)
        digits = digits.replace("_", "") or "0"
        if len(digits) > MAX_NUMBER_DIGITS:
            return self.refuse("INVALID_TYPE", "A number has too many digits; quote it.", at)
        base = 2 if binary else 16 if hexadecimal else 8 if octal else 10
        return int(sign + digits, base)


def _is_number(event: Any) -> bool:
    """Say whether a scalar would be read as a number (or is text anyway)."""
    if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
        return False
    return event.value not in _NULLS and event.value not in _BOOLEANS
