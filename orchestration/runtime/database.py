"""How a thread treats its database connection: give it back, discard it, what counts as lost.

Django keeps one connection per thread; with its psycopg pool, closing means giving it back to the
pool. A round trip through the pool costs about 0.08 ms, so a busy loop keeps its connection.

Why every OperationalError counts: besides lost connections the class holds deadlocks, lock and
statement timeouts, a full disk and an exhausted pool. All of them pass, none is mended by a restart
of the process. A wrong statement is a ProgrammingError and stays fatal.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from orchestration import metrics
from orchestration.runtime import sessions

log = logging.getLogger(__name__)

ANSWER_SECONDS = 5.0
_UnpooledConnection = sessions.impatient_connection(ANSWER_SECONDS)

FIRST_PAUSE_SECONDS = 0.1
"""Where only a session was ended, the next one is to be had at once."""
SECOND_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

CONNECTION_ERRORS: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)


class _Held(threading.local):
    """Whether the thread may have open connections: until it gives them back, anything is held."""

    may_be_open = True


_held = _Held()


def note_opened(**_: object) -> None:
    """Note that this thread has opened a connection, or that others may have done so for it."""
    _held.may_be_open = True


connection_created.connect(note_opened, dispatch_uid="orchestration.runtime.database")


def may_hold_connections() -> bool:
    """Say whether this thread may have open connections; far cheaper than looking at them."""
    return _held.may_be_open


def release_connections() -> None:
    """Give this thread's connections back to the pool (or close them where there is no pool)."""
    if _held.may_be_open:
        connections.close_all()
        _held.may_be_open = False


LIMITS_MET = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialization failure, deadlock, lock and statement time limits: the connection still works."""
_loss_count = 0
"""How often this process has lost a connection, or could not get one."""


def disturbances() -> tuple[int, ...]:
    """Return what changes whenever some part of this process loses or regains the database.

    More than the losses of the asking thread: a pool that replaces dead connections by itself hides
    an outage from a loop that slept through it; the listener, whose connection is always open, is
    told at once.
    """
    listening = (metrics.LISTENER_RECONNECTIONS.value, metrics.LISTENER_ACTIVE.value)
    return (_loss_count, *listening)


_on_recovery: Callable[[], None] | None = None


def watch_recovery(call: Callable[[], None] | None) -> None:
    """Have a function called whenever a part of the process has its database back; one at most."""
    global _on_recovery
    _on_recovery = call


def note_recovery() -> None:
    """Say that the database answers again: parts that have lost it, too, need not wait longer."""
    if _on_recovery is not None:
        _on_recovery()


def discard_connections(error: BaseException | None = None) -> None:
    """Drop this thread's connections after an error and make the pool look through the others.

    After a restart of the server every pooled connection is dead; without the look-through each of
    them would cost one failed round and one growing pause. Where ours broke, those that look alive
    are replaced too: a network that swallows everything closes nothing.
    """
    global _loss_count
    if getattr(getattr(error, "__cause__", None), "sqlstate", None) not in LIMITS_MET:
        _loss_count += 1  # what two threads count at once may be one; the change is what counts
    for connection in connections.all(initialized_only=True):
        is_broken = connection.connection is not None and connection.connection.closed
        try:
            connection.close()
        except CONNECTION_ERRORS as failure:
            log.debug("database.close_failed", extra={"error": type(failure).__name__})
        pool = pool_of(connection)
        if pool is not None and not pool.closed:
            pool.drain() if is_broken else pool.check()


def pool_of(connection: BaseDatabaseWrapper) -> Any:
    """Return psycopg's pool behind a connection, None where none was needed yet.

    Not by Django's property `pool`: that makes one for the database of this moment, and a test
    runner that renames the database afterwards would go on in the developer's own.
    """
    return getattr(connection, "_connection_pools", {}).get(connection.alias)


def open_unpooled(**options: Any) -> psycopg.Connection[Any]:
    """Open an autocommit connection beside the pool; starts the embedded server if need be.

    Raises at once what CONNECTION_ERRORS lists, where the pool would let its caller wait; so do its
    statements when no answer comes for ANSWER_SECONDS.
    """
    parameters = connections["default"].get_connection_params()
    return connect(**{**parameters, "connect_timeout": 5, **options})


def connect(conninfo: str = "", **parameters: Any) -> psycopg.Connection[Any]:
    """Open an autocommit connection that waits for no answer longer than ANSWER_SECONDS."""
    return _UnpooledConnection.connect(conninfo, autocommit=True, **parameters)


def check_reachable() -> None:
    """Raise one of CONNECTION_ERRORS when the database cannot be reached now."""
    open_unpooled().close()


def next_pause(pause_seconds: float) -> float:
    """Return the pause after this one: a second, then doubled, 30 s at most."""
    return min(max(pause_seconds * 2, SECOND_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
