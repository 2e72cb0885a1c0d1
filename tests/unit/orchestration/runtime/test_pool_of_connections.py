"""Who looks at the connection pool makes none: it would lead to the database of that moment."""

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from orchestration import health
from orchestration.runtime.database import discard_connections, pool_of


def test_a_look_at_the_pool_makes_none(monkeypatch):
    pools: dict[str, object] = {}
    monkeypatch.setattr(DatabaseWrapper, "_connection_pools", pools)

    assert health.pool_use() == (0, 0, 0, 0)
    discard_connections()

    assert pools == {}


@pytest.mark.django_db
def test_a_pool_that_is_there_is_found():
    connection = connections["default"]
    connection.ensure_connection()

    found = pool_of(connection)

    assert isinstance(connection, DatabaseWrapper)
    assert found is connection.pool
    assert found is not None
    assert health.pool_use().maximum == found.max_size
