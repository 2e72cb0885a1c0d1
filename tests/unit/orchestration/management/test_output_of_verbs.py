"""What verbs print, how long a duration is, and how an error ends a program."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import InterfaceError, OperationalError

from orchestration.access.permissions import Permission, PermissionMissingError
from orchestration.errors import (
    ActionRefusedError,
    BackpressureError,
    DuplicateTaskError,
    InvalidRequestError,
    NotFoundError,
)
from orchestration.management.tasker.output import as_json, as_table, shown
from orchestration.management.tasker.verb import Exit, duration, exit_of

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)


def test_rows_stand_below_their_headings():
    rows: list[dict[str, Any]] = [{"name": "a", "size": 10}, {"name": "longer", "size": None}]

    assert list(as_table(rows)) == ["name    size", "a       10", "longer  -"]
    assert list(as_table(rows, ["size"])) == ["size", "10", "-"]
    assert list(as_table([])) == []


def test_one_thing_is_shown_by_its_fields():
    assert list(as_table({"name": "a", "is_on": True})) == ["name   a", "is_on  yes"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "-"),
        (False, "no"),
        (["a", "b"], "a, b"),
        ([], "-"),
        ({"a": [1]}, '{"a": [1]}'),
        (MOMENT, "2026-01-31 12:00:00Z"),
        ("a\x1b[31mred\n\u202egnp", "a\ufffd[31mred\ufffd\ufffdgnp"),
        ("[bold]ä[/]", "[bold]ä[/]"),
    ],
)
def test_a_value_is_one_line_that_no_terminal_acts_upon(value, text):
    assert shown(value) == text


def test_the_document_is_ascii_with_the_values_of_rest():
    uuid = UUID("01890000-0000-7000-8000-000000000000")

    text = as_json({"uuid": uuid, "at": MOMENT, "name": "ä\x1b\u202e"})

    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text) == {
        "uuid": str(uuid),
        "at": "2026-01-31T12:00:00.000005Z",
        "name": "ä\x1b\u202e",
    }


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("4w", timedelta(weeks=4)),
    ],
)
def test_a_duration_has_a_unit(text, meant):
    assert duration(text) == meant


@pytest.mark.parametrize("text", ["", "90", "0d", "-1d", "1y", "d", "99999999w", "1d2h"])
def test_another_text_is_no_duration(text):
    with pytest.raises(argparse.ArgumentTypeError):
        duration(text)


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (InvalidRequestError("x"), Exit.USAGE),
        (NotFoundError("x"), Exit.NOT_FOUND),
        (ActionRefusedError("x"), Exit.REFUSED),
        (DuplicateTaskError("x"), Exit.REFUSED),
        (PermissionMissingError(Permission.TASKS_READ, principal="x"), Exit.REFUSED),
        (BackpressureError("x", retry_after_seconds=1), Exit.UNREACHABLE),
        (OperationalError("x"), Exit.UNREACHABLE),
        (InterfaceError("x"), Exit.UNREACHABLE),
        (RuntimeError("x"), Exit.FAILED),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error, ending):
    assert exit_of(error) is ending
