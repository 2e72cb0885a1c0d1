"""At which height everything stands, given the sorted columns.

Going over the columns back and forth, every item wants to be level with its neighbours; those of a
column keep their order and their distance, and beyond that the sum of squared deviations is least
(pool adjacent violators). Bends want it most, which keeps long edges straight. Bands that no item
stands in are narrowed at the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from orchestration.pictures.layers import Columns, Item, Neighbours

NODE_DISTANCE = 18.0
BEND_DISTANCE = 9.0
MAX_EMPTY_BAND = 36.0
ROUNDS = 2
BEND_WEIGHT = 4.0
LONELY_WEIGHT = 0.1

Levels = dict[Item, float]


def find_levels(arranged: Columns, heights: Mapping[Item, float]) -> Levels:
    """Return the level of every item's middle; the first one's upper edge is at 0."""
    both = {item: [*left, *arranged.right[item]] for item, left in arranged.left.items()}
    offsets = [_packed(arranged, column, heights) for column in arranged.columns]
    levels: Levels = {}
    for column, offset in zip(arranged.columns, offsets, strict=True):
        levels |= {item: each - offset[-1] / 2 for item, each in zip(column, offset, strict=True)}
    forwards = list(zip(arranged.columns, offsets, strict=True))
    for columns in [forwards, forwards[::-1]] * ROUNDS:
        _pass(arranged, columns, levels, both)
    _pass(arranged, forwards, levels, arranged.left)
    return _without_empty_bands(levels, heights)


def _packed(
    arranged: Columns, column: Sequence[Item], heights: Mapping[Item, float]
) -> list[float]:
    """Return how far below the first of a column each item stands when they are packed."""
    offsets = [0.0]
    for above, item in pairwise(column):
        both_bend = arranged.is_bend(above) and arranged.is_bend(item)
        distance = BEND_DISTANCE if both_bend else NODE_DISTANCE
        offsets.append(offsets[-1] + (heights[above] + heights[item]) / 2 + distance)
    return offsets


def _pass(
    arranged: Columns,
    columns: Iterable[tuple[Sequence[Item], Sequence[float]]],
    levels: Levels,
    neighbours: Neighbours,
) -> None:
    """Move the items, column by column, as near to their neighbours' level as their order lets."""
    for column, offsets in columns:
        wishes: list[tuple[float, float]] = []
        for item, offset in zip(column, offsets, strict=True):
            near = neighbours.get(item)
            wanted = sum([levels[each] for each in near]) / len(near) if near else levels[item]
            weight = BEND_WEIGHT if arranged.is_bend(item) else 1.0 if near else LONELY_WEIGHT
            wishes.append((wanted - offset, weight))
        for item, offset, level in zip(column, offsets, _rising(wishes), strict=True):
            levels[item] = level + offset


def _rising(wishes: Sequence[tuple[float, float]]) -> list[float]:
    """Return the rising levels that deviate least from the wished ones: (level, weight)."""
    pools: list[tuple[float, float, int]] = []
    for wish in wishes:
        level, weight, count = *wish, 1
        while pools and pools[-1][0] > level:
            above, above_weight, above_count = pools.pop()
            level = (level * weight + above * above_weight) / (weight + above_weight)
            weight += above_weight
            count += above_count
        pools.append((level, weight, count))
    return [level for level, _, count in pools for _ in range(count)]


def _without_empty_bands(levels: Levels, heights: Mapping[Item, float]) -> Levels:
    """Return whole levels, moved together where there is nothing in any column."""
    narrowed: Levels = {}
    shift, lowest = 0.0, None
    for item in sorted(levels, key=lambda each: levels[each] - heights[each] / 2):
        top = levels[item] - heights[item] / 2
        if lowest is None:
            shift = top
        elif top - lowest > MAX_EMPTY_BAND:
            shift += top - lowest - MAX_EMPTY_BAND
        narrowed[item] = float(round(levels[item] - shift))
        bottom = top + heights[item]
        lowest = bottom if lowest is None else max(lowest, bottom)
    return narrowed
