"""What several groups take from the command line: uuids, JSON, and the filters of the API.

Filters come from the tables that the API reads its queries with, so a new one is there in both.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from orchestration.api.query import UUID_TEXT, Parameter, read_texts
from orchestration.errors import InvalidRequestError

LONGEST_REASON = 500
LETTERS = {
    "namespace": "-n",
    "status": "-s",
    "correlation_id": "-c",
    "template_version": "-V",
}
DEST = "query_{}"


def uuid(text: str) -> UUID:
    """Read a UUID."""
    if not UUID_TEXT.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no UUID")
    return UUID(text)


def reason(text: str) -> str:
    """Read why somebody acts."""
    if not 1 <= len(text) <= LONGEST_REASON:
        raise argparse.ArgumentTypeError(f"must have 1 to {LONGEST_REASON} characters")
    return text


def number(least: int, greatest: int) -> Callable[[str], int]:
    """Return the reader of a whole number in a range."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= greatest:
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {least} to {greatest}, not {text[:20]!r}"
            )
        return int(text)

    return read


def add_limit(parser: CommandParser, *, default: int, greatest: int) -> None:
    """Declare `-l`, how many there may be at most."""
    parser.add_argument(
        "-l", "--limit", type=number(1, greatest), default=default, help=f"default: {default}"
    )


def add_reason(parser: CommandParser) -> None:
    """Declare `-r` and `-b`: why, and on whose word."""
    parser.add_argument(
        "-r", "--reason", type=reason, required=True, help="why; stands in the history"
    )
    parser.add_argument("-b", "--by", metavar="NAME", help="for whom; stands beside the reason")


def json_object(text: str) -> dict[str, Any]:
    """Return the object in a literal, in `@file`, or in `-`, standard input."""
    value = json_value(text)
    if not isinstance(value, dict):
        raise InvalidRequestError(f"{_source(text)} holds no JSON object")
    return value


def json_value(text: str) -> Any:
    """Return the JSON in a literal, in `@file`, or in `-`, standard input."""
    try:
        return json.loads(_text_of(text))
    except ValueError as error:
        raise InvalidRequestError(f"{_source(text)} holds no JSON: {error}") from error
    except OSError as error:
        raise InvalidRequestError(f"Cannot read {text[1:]}: {error.strerror}") from error


def _text_of(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    return Path(text[1:]).read_text("utf-8") if text.startswith("@") else text


def _source(text: str) -> str:
    return "standard input" if text == "-" else text[:60]


def add_query(
    parser: CommandParser,
    parameters: Sequence[Parameter],
    *,
    letters: Mapping[str, str] = LETTERS,
    names: Mapping[str, str] = {},
) -> None:
    """Declare an option for each parameter of a query; `names` are those that differ."""
    for each in parameters:
        name = names.get(each.name, each.name)
        flags = [f"--{name.replace('_', '-')}", *([letters[name]] if name in letters else [])]
        words = each.schema.get("enum")
        parser.add_argument(
            *flags,
            dest=DEST.format(each.name),
            action="append",
            metavar="WORD"
            if words
            else str(each.schema.get("format", each.schema["type"])).upper(),
            help=f"{each.help} One of {', '.join(words)}." if words else each.help,
        )


def query_values(options: Mapping[str, Any], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values of a query's parameters; raises `InvalidRequestError`."""
    return read_texts(given_texts(options, parameters), parameters)


def given_texts(
    options: Mapping[str, Any], parameters: Sequence[Parameter]
) -> dict[str, list[str]]:
    """Return the texts of the parameters that were given."""
    texts = {each.name: options[DEST.format(each.name)] for each in parameters}
    return {name: given for name, given in texts.items() if given}
