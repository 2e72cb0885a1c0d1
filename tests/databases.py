"""Empty databases beside the test's own, on the same server."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connections

from tests.processes import database_url


@contextmanager
def fresh_database(kind: str) -> Iterator[str]:
    """Make an empty database, yield its name, and drop it whoever is connected."""
    name = f"{connections['default'].settings_dict['NAME']}_{kind}"
    with psycopg.connect(database_url(), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        yield name
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
