"""Settings that end with their transaction, and connections that show that they are dead."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from orchestration.runtime import database, sessions
from tests.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)

WANTED = sessions.session_settings(statement_timeout_ms=300, lock_timeout_ms=77)
SHOW = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
OURS, SERVERS = ("300ms", "77ms"), ("0", "0")
Connect = Callable[..., psycopg.Connection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Open pooled connections, as Django's pool would, that are closed after the test."""
    opened = []

    def open_one(url: str = "", kind: Any = sessions.PooledConnection, **parameters):
        opened.append(kind.connect(url or database_url(), autocommit=True, **parameters))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def pooled(connect: Connect) -> psycopg.Connection:
    """Return a connection as it is used behind a transaction pooler."""
    return connect(**sessions.connection_options(WANTED, is_pooled=True))


def outside(connection: psycopg.Connection) -> Any:
    """Return what the session itself is set to; a plain cursor sends nothing before."""
    return psycopg.ClientCursor(connection).execute(SHOW).fetchone()


# ---------------------------------------------------------------- settings


def test_a_connection_straight_to_the_server_brings_its_settings_along(connect):
    direct = connect(**sessions.connection_options(WANTED, is_pooled=False))

    assert outside(direct) == OURS
    idle = direct.execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert idle == ("1min",)


def test_behind_a_pooler_a_statement_has_the_settings_and_the_session_keeps_none(pooled):
    assert pooled.execute(SHOW).fetchone() == OURS
    assert outside(pooled) == SERVERS


def test_the_first_statement_of_a_transaction_sets_them_for_all(pooled):
    pooled.autocommit = False
    pooled.execute("SAVEPOINT first")

    pooled.execute("ROLLBACK TO SAVEPOINT first")

    assert outside(pooled) == OURS
    pooled.rollback()
    assert outside(pooled) == SERVERS


def test_a_new_transaction_is_set_anew(pooled):
    pooled.autocommit = False
    for _ in range(2):
        assert pooled.execute(SHOW).fetchone() == OURS
        pooled.commit()


@pytest.mark.parametrize(
    "query", ["SELECT %s", b"SELECT %s", sql.SQL("SELECT {}").format(sql.Placeholder())]
)
def test_parameters_and_results_are_those_of_the_statement(pooled, query):
    pooled.autocommit = False

    cursor = pooled.execute(query, ["100 %s"])

    assert cursor.fetchall() == [("100 %s",)]
    assert cursor.rowcount == 1
    assert cursor.nextset() is None


def test_a_statement_over_the_limit_is_cancelled(pooled):
    with pytest.raises(errors.QueryCanceled):
        pooled.execute("SELECT pg_sleep(5)")

    assert pooled.execute("SELECT 1").fetchone() == (1,)


def test_what_refuses_a_transaction_is_sent_alone(pooled):
    pooled.execute("VACUUM pg_class")


def test_limits_of_the_connection_come_first(pooled):
    pooled.limits = {"statement_timeout": "0"}

    assert pooled.execute(SHOW).fetchone() == ("0", "77ms")


# ---------------------------------------------------------------- signs of life


def test_looking_whether_a_connection_lives_asks_nothing(connect):
    watched, observer = connect(), connect()
    pid = watched.info.backend_pid
    watched.execute("SELECT 1")
    asked = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
    before = observer.execute(asked, [pid]).fetchone()

    watched.execute("")

    assert observer.execute(asked, [pid]).fetchone() == before


def test_a_connection_that_the_server_closed_is_seen(connect):
    doomed, killer = connect(), connect()
    killer.execute("SELECT pg_terminate_backend(%s, 5000)", [doomed.info.backend_pid])

    with pytest.raises(psycopg.OperationalError):
        doomed.execute("")


def test_a_message_that_is_no_end_leaves_the_connection(connect):
    listening, other = connect(), connect()
    listening.execute("LISTEN somewhere")
    other.execute("NOTIFY somewhere")
    time.sleep(0.05)

    listening.execute("")

    assert not listening.closed


def test_a_connection_that_nobody_answers_is_given_up(connect, door):
    silent = connect(door.url, sessions.impatient_connection(0.3))
    silent.execute("SELECT 1")
    door.swallow()
    began = time.monotonic()

    with pytest.raises(psycopg.OperationalError, match=r"not answered for 0\.3 s"):
        silent.execute("SELECT 1")

    assert time.monotonic() - began < 2
    assert silent.closed


def test_a_statement_that_fails_keeps_its_connection(connect):
    impatient = connect("", sessions.impatient_connection(5))

    with pytest.raises(errors.UndefinedTable):
        impatient.execute("SELECT * FROM nowhere")

    assert not impatient.closed


def test_the_kernel_watches_both_ends(connect):
    parameters = sessions.connection_options(WANTED, is_pooled=False)
    address = socket.gethostbyname("localhost")
    connection = connect(database_url(), **parameters, **sessions.CLIENT_KEEPALIVES)
    if not connection.info.host or connection.info.host.startswith("/"):
        pytest.skip(f"the server is on a unix socket, not on {address}")
    client = socket.socket(fileno=os.dup(connection.fileno()))
    with client:
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
    servers = connection.execute("SHOW tcp_keepalives_idle").fetchone()
    assert servers in [("10",), (10,)]


def test_after_a_broken_connection_the_others_of_the_pool_are_replaced(monkeypatch):
    """Those that look alive too: nothing closes what a dead network swallows."""
    from django.db import connections

    wrapper: Any = connections["default"]
    wrapper.ensure_connection()
    pool = wrapper.pool
    kept = list(pool._pool)  # the objects: an id may be taken again
    wrapper.connection.pgconn.finish()

    database.discard_connections()

    pool.wait(5)
    assert not any(each in kept for each in pool._pool)
