"""Who stands in which column, and who above whom: the first half of the layout of a drawing.

A column holds what depends on the columns before it only. An edge over several columns gets a
place in each column between (a *bend*), so that it passes between nodes and never behind one; long
edges that begin, or end, at the same node share their bends. Then columns are sorted by barycentre:
everyone goes to the middle of its neighbours, back and forth, and the sorting with the fewest
crossings stays.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import pairwise

MAX_BENDS = 8000  # of all edges together; beyond, an edge goes straight, behind nodes if need be
SWEEPS = 8

Item = int  # nodes by their place in the picture, then bends
Link = tuple[Item, Item]
Routes = dict[Link, list[Item]]
Neighbours = dict[Item, list[Item]]


@dataclass
class Columns:
    """Columns of items from left to right, each from top to bottom, and the way of every edge."""

    columns: list[list[Item]]
    node_count: int
    routes: Routes = field(default_factory=dict)  # edge → items from its source to its target

    def is_bend(self, item: Item) -> bool:
        """Tell whether an item is a place that an edge passes."""
        return item >= self.node_count

    @cached_property
    def links(self) -> list[Link]:
        """The pieces of all edges between neighbouring columns, each once."""
        ways = self.routes.values()
        return sorted({pair for way in ways for pair in pairwise(way)})

    @cached_property
    def left(self) -> Neighbours:
        """The items that every item is linked to in the column before."""
        left: Neighbours = {item: [] for column in self.columns for item in column}
        for source, target in self.links:
            left[target].append(source)
        return left

    @cached_property
    def right(self) -> Neighbours:
        """The items that every item is linked to in the column behind."""
        right: Neighbours = {item: [] for column in self.columns for item in column}
        for source, target in self.links:
            right[source].append(target)
        return right


def arrange(node_count: int, edges: Sequence[Link]) -> Columns:
    """Return the nodes in sorted columns; raises `graphlib.CycleError`."""
    column_of = _columns_by_depth(node_count, edges)
    width = max(column_of.values(), default=-1) + 1
    arranged = Columns([[] for _ in range(width)], node_count)
    for item in range(node_count):
        arranged.columns[column_of[item]].append(item)
    _route(arranged, edges, column_of)
    _sort(arranged)
    return arranged


def _columns_by_depth(node_count: int, edges: Iterable[Link]) -> dict[Item, int]:
    """Return the column of every node: one more than the furthest of its parents."""
    sorter: TopologicalSorter[Item] = TopologicalSorter(dict.fromkeys(range(node_count), ()))
    for source, target in edges:
        sorter.add(target, source)
    sorter.prepare()
    column_of: dict[Item, int] = {}
    number = 0
    while sorter.is_active():
        ready = sorter.get_ready()
        column_of |= dict.fromkeys(ready, number)
        sorter.done(*ready)
        number += 1
    return column_of


def _route(arranged: Columns, edges: Sequence[Link], column_of: Mapping[Item, int]) -> None:
    """Give every edge its way; short ones first, as far as the budget of bends goes."""

    def span(edge: Link) -> int:
        return column_of[edge[1]] - column_of[edge[0]]

    long = [edge for edge in edges if span(edge) > 1]
    leaving, entering = Counter(edge[0] for edge in long), Counter(edge[1] for edge in long)
    bends: dict[Hashable, Item] = {}
    budget = MAX_BENDS
    for edge in sorted(edges, key=span):
        source, target = arranged.routes[edge] = list(edge)
        budget -= span(edge) - 1
        if budget < 0:
            continue
        hub = ("from", source) if leaving[source] >= entering[target] else ("to", target)
        for number in range(column_of[source] + 1, column_of[target]):
            if (hub, number) not in bends:
                bends[hub, number] = arranged.node_count + len(bends)
                arranged.columns[number].append(bends[hub, number])
            arranged.routes[edge].insert(-1, bends[hub, number])


def _sort(arranged: Columns) -> None:
    """Sort the columns so that few edges cross."""
    best = [list(column) for column in arranged.columns]
    fewest = crossings(arranged.columns, arranged.links)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        if sweep % 2:
            _sweep(arranged.columns[::-1], arranged.right)
        else:
            _sweep(arranged.columns, arranged.left)
        now = crossings(arranged.columns, arranged.links)
        if now < fewest:
            best, fewest = [list(column) for column in arranged.columns], now
    arranged.columns = best


def _sweep(columns: Sequence[list[Item]], neighbours: Neighbours) -> None:
    """Sort each column by the middle of its neighbours in the column before; lonely ones stay."""
    place: dict[Item, float] = {}
    for column in columns:
        share = 1 / len(column)
        keys: dict[Item, float] = {}
        for number, item in enumerate(column):
            near = [place[each] for each in neighbours[item] if each in place]
            keys[item] = sum(near) / len(near) if near else (number + 0.5) * share
        column.sort(key=keys.__getitem__)
        place |= {item: (number + 0.5) * share for number, item in enumerate(column)}


def crossings(columns: Sequence[Sequence[Item]], links: Iterable[Link]) -> int:
    """Return how many pairs of links between neighbouring columns cross."""
    place = {item: number for column in columns for number, item in enumerate(column)}
    column_of = {item: number for number, column in enumerate(columns) for item in column}
    pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for source, target in links:
        pairs[column_of[source]].append((place[source], place[target]))
    return sum(_inversions(each) for each in pairs.values())


def _inversions(pairs: list[tuple[int, int]]) -> int:
    seen: list[int] = []
    count = 0
    for _, end in sorted(pairs):
        count += len(seen) - bisect_right(seen, end)
        insort(seen, end)
    return count
