"""What our database sessions ask of the server, and how a connection shows that it is dead.

Straight to the server a connection brings its settings along when it starts (`startup_options`).
Behind a transaction pooler nothing may stay in a session, because the next transaction runs in
another one and what we left there is somebody else's. There the first statement of a transaction
carries the settings (`transaction_cursor`), in the same message: no round trip more, and they end
with the transaction. Such a pooler is expected where `DATABASE_DIRECT_URL` is given, and in mode
PollingOnly.
"""

import re
import select
from collections.abc import Mapping
from typing import Any, Self, cast

import psycopg
from psycopg import pq, sql

IDLE_IN_TRANSACTION_SECONDS = 60
"""Longest pause inside a transaction (engine.md 4.3, L7)."""
SILENCE_SECONDS = 15
"""A peer that does not even acknowledge for so long is gone: a heartbeat that met a dead network is
then repeated before the lease ends (30 s, prolonged every 10)."""

RECONNECT_SECONDS = 2.0
"""How long the pool tries for one connection before whoever needs it next makes it begin anew.

A pool keeps trying for five minutes, with pauses that double, and asks nobody meanwhile; after an
outage of a minute the next look would be up to a minute away.
"""

CLIENT_KEEPALIVES: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENCE_SECONDS * 1000,
}
"""What the client's end of a TCP connection watches; without meaning on a unix socket."""
SERVER_KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": str(SILENCE_SECONDS * 1000),
}
"""What the server's end watches: without it the locks of a machine that lost power stay for hours.

Why both kinds: keepalives are sent while nothing is under way, the other limit holds while
something (a notification, say) waits to be acknowledged.
"""

# Statements that PostgreSQL runs in the transaction that several statements of one message share;
# VACUUM and its like refuse that.
_MAY_SHARE = re.compile(
    r"\s*(select|insert|update|delete|merge|with|values|show|explain)\b", re.IGNORECASE
)


def session_settings(*, statement_timeout_ms: int, lock_timeout_ms: int) -> dict[str, str]:
    """Return the settings every session or transaction of Tasker wants.

    Why the last two: plans are made anew for each statement otherwise, and compiled; 27 -> 19 ms
    for a run of four steps (measured on the plain SQL of the hot path).
    """
    return {
        "statement_timeout": str(statement_timeout_ms),
        "lock_timeout": str(lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_SECONDS * 1000),
        "plan_cache_mode": "force_generic_plan",
        "jit": "off",
    }


def connection_options(settings: Mapping[str, str], *, is_pooled: bool) -> dict[str, Any]:
    """Return what a connection needs so that every statement runs under the settings."""
    if is_pooled:
        return {"cursor_factory": transaction_cursor(settings)}
    return {"options": startup_options(settings)}


def startup_options(settings: Mapping[str, str]) -> str:
    """Return the `options` of a connection that goes straight to the server."""
    wanted = {**settings, **SERVER_KEEPALIVES}
    return " ".join(f"-c {name}={value}" for name, value in wanted.items())


def transaction_cursor(settings: Mapping[str, str]) -> type[Any]:
    """Return Django's cursor class, sending the settings with each transaction's first statement.

    What the attribute `limits` of the connection holds comes before settings of the same name. Five
    settings cost 0.01 ms.
    """
    from django.db.backends.postgresql.base import Cursor  # not while this module is imported

    return type("TransactionCursor", (_SendsSettings, Cursor), {"settings": dict(settings)})


class _SendsSettings(psycopg.ClientCursor[Any]):
    """The cursor of a connection whose server session changes from transaction to transaction."""

    sends_settings = True
    settings: Mapping[str, str] = {}

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Run a statement, after the settings if it is a transaction's first."""
        connection = self.connection
        if connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            return super().execute(query, params, **options)
        if connection.autocommit and not may_share_transaction(query):
            return super().execute(query, params, **options)
        wanted = {**self.settings, **getattr(connection, "limits", {})}
        super().execute(_after_settings(query, wanted), params, **options)
        return self.set_result(-1)  # past the answers to the settings


def may_share_transaction(query: Any) -> bool:
    """Tell whether a statement may run in one transaction with the settings before it."""
    return isinstance(query, str) and _MAY_SHARE.match(query) is not None


def _after_settings(query: Any, settings: Mapping[str, str]) -> Any:
    first = "".join([f"SET LOCAL {name} = {value}; " for name, value in settings.items()])
    if isinstance(query, bytes):
        return first.encode() + query
    return first + query if isinstance(query, str) else sql.SQL(cast(Any, first)) + query


class PooledConnection(psycopg.Connection[Any]):
    """A connection of the pool: judged without a round trip, given up when no answer comes."""

    answer_seconds: float | None = None
    """Longest wait for an answer; None = as long as it takes."""

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
        """Run a statement; the pool's look whether we are alive (an empty one) is answered here.

        A server or pooler that closed the connection has made its socket readable, which the kernel
        tells for free. Whatever else waits there is sorted out by a real round trip.
        """
        if query == "" and self._looks_alive():
            return self.cursor()
        return super().execute(query, *arguments, **options)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, and close a connection from which none comes in time."""
        limit = self.answer_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            if limit is None or self.pgconn.transaction_status != pq.TransactionStatus.ACTIVE:
                raise
            self.close()
            raise psycopg.OperationalError(
                f"The database has not answered for {limit:g} s: the connection was given up"
            ) from error

    def _looks_alive(self) -> bool:
        if self.pgconn.status != pq.ConnStatus.OK:
            return False
        readable = select.poll()
        readable.register(self.pgconn.socket, select.POLLIN)
        return not readable.poll(0)


def impatient_connection(answer_seconds: float) -> type[PooledConnection]:
    """Return a connection class that gives up after so many seconds without an answer."""
    return type("ImpatientConnection", (PooledConnection,), {"answer_seconds": answer_seconds})
