"""Statement by statement, as pg_stat_statements counts them.

A statement that is sent contains the time of those inside of the functions that it calls; all are
listed, so the times of a list do not add up to a whole. The server checks foreign keys when a
statement has ended, and counts that as if it had been sent; here it is a kind of its own.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tasker_project.bench.database import rows
from tasker_project.bench.listing import Listing
from tasker_project.bench.profile.counters import per_step

MOST_LISTED = 25
LONGEST_TEXT = 300
COLUMNS = ("statement", "kind", "calls", "ms", "rows", "WAL bytes")
SENT, INNER, CHECK = "sent", "inner", "key check"
FOREIGN_KEY = re.compile(r'(select \S+ from|delete from|update) only "', re.I)
CONTROL = re.compile(r"(begin|start transaction|commit|rollback|savepoint|release)\b", re.I)
MARK = "/* bench profile */"
"""What the statements of the profile carry, so that it does not find itself."""
READ = """
SELECT /* bench profile */
  s.query, s.toplevel, sum(s.calls)::float8, sum(s.total_exec_time + s.total_plan_time)::float8,
  sum(s.rows)::float8, sum(s.wal_bytes)::float8
FROM pg_stat_statements AS s
JOIN pg_database AS d ON d.oid = s.dbid
WHERE d.datname = current_database() AND s.query NOT LIKE %(marked)s
GROUP BY s.query, s.toplevel
"""


class Statement(NamedTuple):
    """A statement without its constants: sent by a client, inside of a function, or a check."""

    text: str
    kind: str


Counted = Mapping[Statement, tuple[float, ...]]
"""Calls, ms, rows, WAL bytes."""


def read() -> dict[Statement, tuple[float, ...]]:
    """Return the counters of every statement but our own."""
    found = rows(READ, marked=f"%{MARK}%")
    return {_statement(text, is_on_top): tuple(counts) for text, is_on_top, *counts in found}


def _statement(text: str, is_on_top: bool) -> Statement:
    text = " ".join(text.split())
    if FOREIGN_KEY.match(text):
        return Statement(text, CHECK)
    return Statement(text, SENT if is_on_top else INNER)


def figures(counted: Counted, steps: int) -> dict[str, float]:
    """Return how many statements a step costs; one that is sent is one round trip."""
    calls = dict.fromkeys((SENT, INNER, CHECK), 0.0)
    control = 0.0
    for statement, counts in counted.items():
        calls[statement.kind] += counts[0]
        if statement.kind == SENT and CONTROL.match(statement.text):
            control += counts[0]
    return {
        "round_trips_per_step": calls[SENT] / steps,
        "statements_per_step": (calls[SENT] - control) / steps,
        "inner_statements_per_step": calls[INNER] / steps,
        "key_checks_per_step": calls[CHECK] / steps,
    }


def listing(title: str, counted: Counted, steps: int) -> Listing:
    """Return the statements that take most time, everything per step."""
    slowest = sorted(counted.items(), key=lambda item: item[1][1], reverse=True)[:MOST_LISTED]
    found: list[tuple[str | float, ...]] = [
        (each.text[:LONGEST_TEXT], each.kind, *per_step(counts, steps)) for each, counts in slowest
    ]
    return Listing(f"{title}: statements, per step", COLUMNS, found)
