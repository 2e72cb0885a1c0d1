"""Counters that only grow, read twice: what happened in between."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Counters = Mapping[Key, tuple[float, ...]]


def grown(before: Counters[Key], after: Counters[Key]) -> dict[Key, tuple[float, ...]]:
    """Return by how much each counter grew, of those that did; a new one began at 0."""
    found = {}
    for key, counts in after.items():
        earlier = before.get(key, (0.0,) * len(counts))
        growth = tuple(now - then for now, then in zip(counts, earlier, strict=True))
        if any(growth):
            found[key] = growth
    return found


def per_step(counts: tuple[float, ...], steps: int) -> tuple[float, ...]:
    """Return counts divided by the steps, rounded to what is worth reading."""
    return tuple(round(count / steps, 4) for count in counts)
