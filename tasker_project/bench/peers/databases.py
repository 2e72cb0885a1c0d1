"""The databases of one run: one for each peer on the server that Tasker is measured on.

All is done and read from a connection to the server's own database, so that nothing of it counts as
work of the one that is measured.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from tasker_project.embedded.launcher import NAME, PORT, EmbeddedServer

MAINTENANCE = "postgres"
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = %s"

Connection = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def maintenance(server: EmbeddedServer) -> Iterator[Connection]:
    """Connect to the server's own database."""
    with psycopg.connect(url(server, MAINTENANCE), autocommit=True) as connection:
        yield connection


def url(server: EmbeddedServer, database: str) -> str:
    """Return the address of a database as both libpq and SQLAlchemy read it."""
    folder = quote(str(server.socket_folder), safe="")
    return f"postgresql://{NAME}@/{database}?host={folder}&port={PORT}"


def make_anew(connection: Connection, name: str) -> None:
    """Make an empty database, in place of one that may be there."""
    for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def settle(address: str) -> None:
    """Bring a database into the state that autovacuum would, then flush."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def commits(connection: Connection, database: str) -> int:
    """Return how many transactions a database has committed so far."""
    row = connection.execute(COMMITS, (database,)).fetchone()
    return int(row[0]) if row else 0
