"""What goes over the test's own connection to the server: libpq's trace of it, counted."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connections
from psycopg.pq import Trace

_SENT = re.compile(r'^F\t\d+\t(?:Query|Parse)\t[^"\n]*"(.*?)"?$', re.MULTILINE)
_ANSWERED = re.compile(r"^B\t\d+\tReadyForQuery\t", re.MULTILINE)
_CONTROL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b")
_END = re.compile(r"(COMMIT|ROLLBACK)\b(?! TO)")


@dataclass
class Wire:
    """What was sent, of each text the first line, and how often the server was waited for."""

    sent: list[str] = field(default_factory=list)
    round_trips: int = 0

    @property
    def statements(self) -> int:
        """Statements that do something, without those that only begin or end a transaction."""
        return sum(_CONTROL.match(text) is None for text in self.sent)

    @property
    def transactions(self) -> int:
        """Transactions, those of a single statement too."""
        found, is_open = 0, False
        for text in self.sent:
            if text.startswith("BEGIN"):
                is_open = True
            elif _END.match(text) or not is_open:
                found, is_open = found + 1, False
        return found


def read(text: str) -> Wire:
    """Read a trace without timestamps."""
    return Wire(_SENT.findall(text), len(_ANSWERED.findall(text)))


@contextmanager
def counted() -> Iterator[Wire]:
    """Trace the connection inside the block; the counts are there at its end."""
    found = Wire()
    connections["default"].ensure_connection()
    pgconn = connections["default"].connection.pgconn
    with tempfile.NamedTemporaryFile("w+") as file:
        pgconn.trace(file.fileno())
        pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield found
        finally:
            pgconn.untrace()
        assert connections["default"].connection.pgconn is pgconn, "another connection was used"
        file.seek(0)
        seen = read(file.read())
    found.sent, found.round_trips = seen.sent, seen.round_trips
