"""The graph of a task as rows, for programs: every step, and every one that the template foresees.

Unlike `task_picture`, nothing is folded: each instance of a batch worker is a node. Ids are names,
which no two steps of a task share.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple
from uuid import UUID

from orchestration.pictures.categories import steps_that_may_appear
from orchestration.pictures.instances import steps_by_template_step
from orchestration.queries.task_graph import GraphStep, TaskGraph
from orchestration.states import SATISFYING_STEP_STATES
from templates_registry import dag
from templates_registry.schema import StepTemplate


class GraphNode(NamedTuple):
    """A step; one that does not exist has neither uuid nor state.

    `level` is the longest way from a step without dependencies. `untraversed`: it never will exist.
    """

    id: str
    name: str
    step_type: str
    level: int
    step_uuid: UUID | None
    state: str | None
    attempts: int
    untraversed: bool


class GraphEdge(NamedTuple):
    """A dependency between two nodes, by their ids; satisfied when the first one is done."""

    source: str
    target: str
    satisfied: bool


def task_graph_rows(graph: TaskGraph) -> tuple[list[GraphNode], list[GraphEdge]]:
    """Return nodes in the order of the template, and edges in that of their targets."""
    levels = dag.levels(graph.template.dependencies())
    existing = steps_by_template_step(graph.steps, graph.template.steps)
    may_appear = steps_that_may_appear(graph)
    nodes = {
        step.name: _nodes(
            step,
            existing[step.name],
            level=levels[step.name],
            untraversed=step.name not in may_appear,
        )
        for step in graph.template.steps
    }
    flat = [each for of_step in nodes.values() for each in of_step]
    return flat, list(_edges(graph, nodes))


def _nodes(
    template_step: StepTemplate, steps: list[GraphStep], *, level: int, untraversed: bool
) -> list[GraphNode]:
    """Return the node of each step that exists, or the one of a step that does not."""
    name, step_type = template_step.name, template_step.type
    if not steps:
        return [GraphNode(name, name, step_type, level, None, None, 0, untraversed)]
    return [
        GraphNode(
            step.name,
            step.name,
            step.step_type,
            level,
            step.step_uuid,
            step.state,
            step.attempts,
            untraversed=False,
        )
        for step in steps
    ]


def _edges(graph: TaskGraph, nodes: dict[str, list[GraphNode]]) -> Iterator[GraphEdge]:
    for step in graph.template.steps:
        for parent in step.dependencies:
            for source, target in product(nodes[parent], nodes[step.name]):
                yield GraphEdge(source.id, target.id, source.state in SATISFYING_STEP_STATES)
