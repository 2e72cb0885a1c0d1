"""Which version is the latest."""

from datetime import UTC, datetime, timedelta

import pytest

from templates_registry.registry.recent import Recent
from templates_registry.registry.versions import precedence

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "ascending",
    [
        ["1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"],
        ["2.0.0-rc.1", "1.0.0"],
        ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
         "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"],
        ["newest", "0.0.1"],
        ["1.10", "1.9", "0.1.0"],
        ["1.0.0-rc.1", "text"],
        ["1.0.0+a", "1.0.0+b"],
        ["1.0.0-1", "1.0.0-a"],
    ],
)  # fmt: skip
def test_versions_rank_in_this_order(ascending: list[str]) -> None:
    """The list is also the order of first registration."""
    times = {version: START + timedelta(days=day) for day, version in enumerate(ascending)}

    def key(version: str) -> object:
        return precedence(version, registered_at=times[version])

    assert sorted(set(ascending), key=key) == ascending  # type: ignore[arg-type]


def test_texts_rank_by_their_registration() -> None:
    early = precedence("b", registered_at=START)
    late = precedence("a", registered_at=START + timedelta(seconds=1))

    assert late > early


def test_the_cache_drops_what_was_used_longest_ago() -> None:
    cache: Recent[str, int] = Recent(2)
    cache.put("a", 1)
    cache.put("b", 2)

    assert cache.get("a") == 1
    cache.put("c", 3)

    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)
    cache.clear()
    assert len(cache) == 0
