"""Every test of the lifecycle ends with the invariants of engine.md 4.5, unless it breaks them."""

from collections.abc import Iterator

import pytest

from tests.factories.ticks import assert_invariants


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
