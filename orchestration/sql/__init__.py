"""The door to raw SQL: every statement is a file, every parameter is named.

`queries/` and `messaging/pgmq.py` are the only callers. Text is read once and kept; rows come back
as the NamedTuple that the caller names, whose fields are the statement's columns in order.
"""

import time
from datetime import UTC
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from psycopg.types.datetime import TimestamptzLoader
from pydantic_core import from_json

from orchestration import metrics

Row = TypeVar("Row", bound=NamedTuple)


@cache
def read(path: str) -> str:
    """Return the text of a file under this package, such as `triggers/task_moves_v01.sql`."""
    return files("orchestration.sql").joinpath(path).read_text("utf-8")


def fetch(row_type: type[Row], query: str, **parameters: Any) -> list[Row]:
    """Run `queries/<query>.sql` in the current transaction and return its rows."""
    with connection.cursor() as cursor, _measured(query):
        if _has_times(row_type) and connection.timezone == UTC:
            cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(read(f"queries/{query}.sql"), parameters)
        return [row_type._make(row) for row in cursor.fetchall()]


@cache
def _has_times(row_type: type[NamedTuple]) -> bool:
    """Say whether rows hold times.

    Those are read by psycopg's own loader, in C. Django's adds the zone in Python, which in UTC is
    the same: 11 microseconds a time (measured), three times for each claim.
    """
    return any("datetime" in str(hint) for hint in row_type.__annotations__.values())


def decoded(value: Any) -> Any:
    """Return a JSON column as values: Django's cursors give its text."""
    return from_json(value) if isinstance(value, str) else value


def scalar(query: str, **parameters: Any) -> Any:
    """Run a statement that returns one row of one column and return the value."""
    with connection.cursor() as cursor, _measured(query):
        cursor.execute(read(f"queries/{query}.sql"), parameters)
        row = cursor.fetchone()
        return None if row is None else row[0]


def execute(query: str, **parameters: Any) -> int:
    """Run a statement for its effect and return the number of rows it touched."""
    with connection.cursor() as cursor, _measured(query):
        cursor.execute(read(f"queries/{query}.sql"), parameters)
        return int(cursor.rowcount)


class _measured:  # noqa: N801 - reads as a function, and costs less than a generator would
    """Counts a statement by its file, and how long it took, when it does not fail."""

    __slots__ = ("_began", "_query")

    def __init__(self, query: str) -> None:
        self._query = query

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, kind: object, *rest: object) -> None:
        metrics.SQL_QUERIES.add(query=self._query)
        if kind is None:
            took_ms = (time.perf_counter() - self._began) * 1000
            metrics.SQL_DURATION.observe(took_ms, query=self._query)
