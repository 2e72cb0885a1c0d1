"""What a verb is, what it answers, and how it ends (api-and-operations 3.1)."""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

from django import db
from django.core.management.base import CommandParser

from orchestration.errors import ActionRefusedError
from orchestration.http.errors import answer_of

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=36_500)


class Exit(IntEnum):
    """Exit codes of every verb."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNREACHABLE = 5
    WAITED_TOO_LONG = 6
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a verb found or did.

    `body` is the one JSON document, with the field names of REST; `table` is what a person sees of
    it, the same unless said otherwise: rows, the fields of one thing, or a text of our own. `notes`
    go to stderr.
    """

    body: Any
    table: Sequence[Mapping[str, Any]] | Mapping[str, Any] | str | None = None
    columns: Sequence[str] = ()
    notes: Sequence[str] = ()
    exit_code: Exit = Exit.DONE


def _no_arguments(parser: CommandParser) -> None:
    """Declare nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing to be done; `run` gets the options by name.

    `needs_good_settings`: it does nothing while a system check refuses the settings.
    """

    help: str
    run: Callable[[dict[str, Any]], Answer]
    arguments: Callable[[CommandParser], None] = _no_arguments
    needs_good_settings: bool = True


def exit_of(error: BaseException) -> Exit:
    """Return how a verb ends that failed with an error."""
    if isinstance(error, db.Error):
        return Exit.UNREACHABLE
    if isinstance(error, ActionRefusedError):
        return Exit.REFUSED
    of_status = {
        400: Exit.USAGE,
        403: Exit.REFUSED,
        404: Exit.NOT_FOUND,
        409: Exit.REFUSED,
        503: Exit.UNREACHABLE,
    }
    return of_status.get(answer_of(error)[1], Exit.FAILED)


def duration(text: str) -> timedelta:
    """Read `90d`, `12h`, `30m` or `4w`."""
    found = re.fullmatch(r"([1-9][0-9]{0,7})([mhdw])", text.strip())
    length = timedelta(**{UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < length <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text} is no duration like 90d, 12h, 30m or 4w")
    return length
