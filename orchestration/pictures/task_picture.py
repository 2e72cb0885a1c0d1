"""The graph of a task (handlers.md 8.3): its steps with their states, and those not created.

A batch worker is replaced by its instances, or, where they are too many to look at, by one stack
that shows the worst of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from orchestration.pictures.categories import (
    CATEGORY_OF,
    sign_of,
    steps_that_may_appear,
    word_of,
    worst_of,
)
from orchestration.pictures.durations import step_duration
from orchestration.pictures.instances import steps_by_template_step
from orchestration.pictures.node_ids import unique_ids
from orchestration.pictures.picture import SHAPE_OF, Category, Edge, Node, Picture, Shape
from orchestration.queries.task_graph import GraphStep, TaskGraph
from templates_registry.schema import StepTemplate

MAX_INSTANCES = 50


class _Place(NamedTuple):
    """What one node will show: a template step, and the steps that stand for it there."""

    template_step: StepTemplate
    number: str
    steps: list[GraphStep]

    @property
    def name(self) -> str:
        return self.steps[0].name if len(self.steps) == 1 else self.template_step.name


def task_picture(graph: TaskGraph) -> Picture:
    """Return the graph of a task as it is now."""
    places = list(_places(graph))
    ids = unique_ids([(place.name, place.number) for place in places])
    may_appear = steps_that_may_appear(graph)
    nodes = [
        _node(place, node_id, may_appear=place.template_step.name in may_appear)
        for place, node_id in zip(places, ids, strict=True)
    ]
    drawn_as: dict[str, list[Node]] = {}
    for place, node in zip(places, nodes, strict=True):
        drawn_as.setdefault(place.template_step.name, []).append(node)
    edges = sorted(_edges(graph, drawn_as), key=lambda edge: (edge.source, edge.target))
    return Picture(graph.task.name, tuple(nodes), tuple(edges), graph.task.task_uuid)


def _places(graph: TaskGraph) -> Iterator[_Place]:
    existing = steps_by_template_step(graph.steps, graph.template.steps)
    for n, template_step in enumerate(graph.template.steps, start=1):
        steps = existing[template_step.name]
        if template_step.type != "batch_worker" or not 0 < len(steps) <= MAX_INSTANCES:
            yield _Place(template_step, f"step_{n}", steps)
            continue
        for i, step in enumerate(steps, start=1):
            yield _Place(template_step, f"step_{n}_{i}", [step])


def _node(place: _Place, node_id: str, *, may_appear: bool) -> Node:
    shape = SHAPE_OF[place.template_step.type]
    if not place.steps:
        return _absent(place.name, node_id, shape, may_appear=may_appear)
    if len(place.steps) > 1:
        return _stack(place, node_id, shape)
    [step] = place.steps
    category = CATEGORY_OF[step.state]
    return Node(
        id=node_id,
        name=step.name,
        label=step.name,
        shape=shape,
        category=category,
        caption=_caption(step, category),
        state=step.state,
        step_uuid=step.step_uuid,
    )


def _absent(name: str, node_id: str, shape: Shape, *, may_appear: bool) -> Node:
    """Return the node of a template step that the task does not have."""
    category = Category.PENDING if may_appear else Category.UNTRAVERSED
    return Node(
        id=node_id,
        name=name,
        label=name,
        shape=shape,
        category=category,
        note="" if may_appear else "(untraversed)",
        caption="\N{DOTTED CIRCLE} Not created yet" if may_appear else "",
    )


def _stack(place: _Place, node_id: str, shape: Shape) -> Node:
    """Return the node of more instances than anybody wants to see."""
    counts = Counter(CATEGORY_OF[step.state] for step in place.steps)
    worst = worst_of(counts)
    words = [f"{counts[each]} {each.replace('_', ' ')}" for each in Category if counts[each]]
    return Node(
        id=node_id,
        name=place.name,
        label=f"{place.name} x{counts.total()}",
        shape=shape,
        category=worst,
        caption=f"{sign_of(worst)} {', '.join(words)}",
    )


def _caption(step: GraphStep, category: Category) -> str:
    """Return what the drawing says of a step: state, later attempts, duration."""
    parts = [word_of(category, step.state)]
    if step.attempts > 1:
        parts.append(f"attempt {step.attempts}/{step.max_attempts}")
    if duration := step_duration(step):
        parts.append(duration)
    return " \N{MIDDLE DOT} ".join(parts)


def _edges(graph: TaskGraph, drawn_as: Mapping[str, list[Node]]) -> Iterator[Edge]:
    for step in graph.template.steps:
        for parent in step.dependencies:
            for source, target in product(drawn_as[parent], drawn_as[step.name]):
                yield Edge(source.id, target.id, _is_solid(source, target))


def _is_solid(source: Node, target: Node) -> bool:
    is_reachable = target.category is not Category.UNTRAVERSED
    return source.category is Category.COMPLETED and is_reachable
