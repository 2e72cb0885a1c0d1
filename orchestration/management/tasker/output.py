"""How an answer is printed: a table for people, or one JSON document for programs.

Stored text is never trusted with a terminal: what is not printable is replaced, also what would
turn the direction of the line.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rest_framework.utils.encoders import JSONEncoder

FORMATS = ("table", "json")
NOTHING = "-"


def as_json(body: Any) -> str:
    """Return the document; escaped, so that it is plain ASCII."""
    return json.dumps(body, cls=JSONEncoder, indent=2)


def as_table(
    found: Sequence[Mapping[str, Any]] | Mapping[str, Any], columns: Sequence[str] = ()
) -> Iterator[str]:
    """Yield the lines of a table: of rows under headings, or of the fields of one thing."""
    if isinstance(found, Mapping):
        names = columns or list(found)
        yield from aligned([(name, shown(found[name])) for name in names])
    elif found:
        names = columns or list(found[0])
        yield from aligned([names, *([shown(row[name]) for name in names] for row in found)])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of texts as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def shown(value: Any) -> str:
    """Return a value as a person reads it, on one line."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return ", ".join(shown(each) for each in value) or NOTHING
    if isinstance(value, dict):
        return printable(json.dumps(value, cls=JSONEncoder, ensure_ascii=False))
    return printable(str(value))


def printable(text: str) -> str:
    """Return a text without what a terminal would act upon."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
