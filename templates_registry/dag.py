"""The graph of a template's steps: order, cycle, ancestors, descendants.

Pure functions over `{step: names of its dependencies}`; they know neither templates nor tasks.
A dependency that is not a key of the mapping is a step without dependencies. Nothing recurses, so
a chain of ten thousand steps is fine.
"""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

Graph = Mapping[str, Sequence[str]]


def topological_order(dependencies: Graph) -> list[str]:
    """Return every step after all of its dependencies; raises `graphlib.CycleError`."""
    return list(TopologicalSorter(dependencies).static_order())


def find_cycle(dependencies: Graph) -> list[str]:
    """Return one cycle as `[a, b, a]`, each step running before the next, or an empty list."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def levels(dependencies: Graph) -> dict[str, int]:
    """Return the longest way from a root to each step; raises `graphlib.CycleError`."""
    found: dict[str, int] = {}
    for name in topological_order(dependencies):
        found[name] = max((found[each] + 1 for each in dependencies.get(name, ())), default=0)
    return found


def dependents(dependencies: Graph) -> dict[str, list[str]]:
    """Return the graph turned round: every step with the steps that depend on it directly."""
    turned: dict[str, list[str]] = {name: [] for name in dependencies}
    for name, parents in dependencies.items():
        for parent in parents:
            turned.setdefault(parent, []).append(name)
    return turned


def reachable(graph: Graph, starts: Iterable[str]) -> set[str]:
    """Return what is reached from the starts by one edge or more."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        for name in graph.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def ancestors(dependencies: Graph, starts: Iterable[str]) -> set[str]:
    """Return every step that must run before one of the starts."""
    return reachable(dependencies, starts)


def descendants(dependencies: Graph, starts: Iterable[str]) -> set[str]:
    """Return every step that runs after one of the starts, directly or not."""
    return reachable(dependents(dependencies), starts)
