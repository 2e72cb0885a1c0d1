"""Where everything stands: from the sizes of nodes and their edges to coordinates.

`layers` says who is in which column, `levels` how high; here columns get their places from left to
right, and edges their points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from orchestration.pictures.layers import Columns, Item, Link, arrange
from orchestration.pictures.levels import Levels, find_levels

MIN_GAP, MAX_GAP = 48.0, 200.0  # between columns; the steeper the edges, the wider
STEEPNESS = 6.0
MARGIN = 16.0


class Size(NamedTuple):
    """How much room a node needs."""

    width: float
    height: float


class Box(NamedTuple):
    """Where a node stands."""

    x: float
    y: float
    width: float
    height: float


class Point(NamedTuple):
    """A place that an edge passes, or where it ends."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes of nodes, and for each edge its points: two for each column between, and both ends."""

    width: float
    height: float
    boxes: list[Box]
    ways: list[list[Point]]


class _Band(NamedTuple):
    """Where a column stands."""

    x: float
    width: float


def lay_out(sizes: Sequence[Size], edges: Sequence[Link]) -> Layout:
    """Return places for nodes of these sizes; edges are pairs of places in `sizes`.

    Raises `graphlib.CycleError`.
    """
    arranged = arrange(len(sizes), edges)
    heights = {
        item: 0.0 if arranged.is_bend(item) else sizes[item].height
        for column in arranged.columns
        for item in column
    }
    levels = find_levels(arranged, heights)
    bands = _bands(arranged, sizes, levels)
    boxes = [
        Box(bands[n].x, MARGIN + levels[n] - size.height / 2, bands[n].width, size.height)
        for n, size in enumerate(sizes)
    ]
    ways = [_way(arranged.routes[edge], bands, levels) for edge in edges]
    right = max((band.x + band.width for band in bands.values()), default=0.0)
    bottom = max((levels[item] + heights[item] / 2 for item in levels), default=0.0)
    return Layout(right + MARGIN, bottom + 2 * MARGIN, boxes, ways)


def _bands(arranged: Columns, sizes: Sequence[Size], levels: Levels) -> dict[Item, _Band]:
    """Return for every item the place of its column, which is as wide as its widest node."""
    bands: dict[Item, _Band] = {}
    x = MARGIN
    for number, column in enumerate(arranged.columns):
        widths = [sizes[item].width for item in column if not arranged.is_bend(item)]
        width = float(ceil(max(widths)))
        if number:
            steps = (levels[item] - levels[each] for item in column for each in arranged.left[item])
            steepest = max(map(abs, steps), default=0.0)
            x += round(min(MIN_GAP + steepest / STEEPNESS, MAX_GAP))
        bands |= dict.fromkeys(column, _Band(x, width))
        x += width
    return bands


def _way(items: Sequence[Item], bands: Mapping[Item, _Band], levels: Levels) -> list[Point]:
    """Return the points of an edge, from the right of its source to the left of its target."""
    points: list[Point] = []
    for item in items:
        y = MARGIN + levels[item]
        points += [Point(bands[item].x, y), Point(bands[item].x + bands[item].width, y)]
    return points[1:-1]
