"""Every test of the lifecycle ends with the invariants of engine.md 4.5, unless it breaks them."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.factories.ticks import assert_invariants
from tests.processes import database_url


@pytest.fixture
def without_invariants() -> None:
    """Say that a test leaves rows that no road of the engine leads to."""


@pytest.fixture(autouse=True)
def _invariants(request: pytest.FixtureRequest) -> Iterator[None]:
    marker = request.node.get_closest_marker("django_db")
    if marker is None:
        yield
        return
    # Asked for here, so that the database is still there when the test is over.
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    yield
    if "without_invariants" not in request.fixturenames:
        assert_invariants()


@pytest.fixture
def second_connection(transactional_db: None) -> Iterator[Callable[[str], Any]]:
    """Return a function that runs a statement on another connection than the test's.

    It answers the first value of the first row, None when the statement returns no rows.
    """
    with psycopg.connect(database_url(), autocommit=True) as connection:

        def ask(query: str) -> Any:
            cursor = connection.execute(query.encode())
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]

        yield ask
