"""How many rows a list has, at a bounded price: exact while they are few, then a guess.

Reads only. Counting every row of a large table for the sake of a page number takes longer than the
page; what is counted here ends at a limit.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

MOST_COUNTED = 50_000
ABOUT, AT_LEAST = "about", "at least"


class Count(NamedTuple):
    """A number of rows, and the word that belongs before one that is not exact."""

    number: int
    word: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.number}".lstrip()

    @property
    def is_exact(self) -> bool:
        """The number is neither a guess nor a bound."""
        return not self.word


class Grouped(NamedTuple):
    """How many rows have which value; of the newest rows only when not `is_all`."""

    by_value: Mapping[str, int]
    is_all: bool

    @property
    def total(self) -> int:
        """How many rows were looked at."""
        return sum(self.by_value.values())


def count_rows(rows: QuerySet[Any], *, most: int | None = None) -> Count:
    """Count rows; above `most`, or the limit, the planner says how many it expects."""
    counted = count_some(rows, most=most)
    return counted if counted.is_exact else guess_rows(rows, least=counted.number)


def count_some(rows: QuerySet[Any], *, most: int | None = None) -> Count:
    """Count rows in one statement that ends above `most`, or the limit."""
    limit = MOST_COUNTED if most is None else most
    counted = rows.order_by()[: limit + 1].count()
    return Count(counted) if counted <= limit else Count(counted, AT_LEAST)


def guess_rows(rows: QuerySet[Any], *, least: int | None = None) -> Count:
    """Return how many rows the planner expects, `least`, or more than the limit, in any case."""
    (plan,) = json.loads(rows.order_by().explain(format="json"))
    return Count(max(int(plan["Plan"]["Plan Rows"]), least or MOST_COUNTED + 1), ABOUT)


def count_by(rows: QuerySet[Any], column: str) -> Grouped:
    """Count rows by the value of a column, in one statement over the newest rows at most.

    `rows` say by their order which ones are the newest.
    """
    newest = rows.values_list(column)[: MOST_COUNTED + 1]
    try:
        statement, parameters = newest.query.sql_with_params()
    except EmptyResultSet:  # the condition holds for nothing, so Django writes no statement
        return Grouped({}, is_all=True)
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            f"SELECT kept.value, count(*) FROM ({statement}) AS kept (value) GROUP BY kept.value",  # noqa: S608 written by the ORM
            parameters,
        )
        found = dict(cursor.fetchall())
    return Grouped(found, is_all=sum(found.values()) <= MOST_COUNTED)
