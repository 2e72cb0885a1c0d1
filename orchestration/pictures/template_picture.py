"""The graph of a template (handlers.md 8.1): one node for each step, as written."""

from collections.abc import Mapping

from orchestration.pictures.node_ids import unique_ids
from orchestration.pictures.picture import SHAPE_OF, Category, Edge, Node, Picture
from templates_registry.schema import StepTemplate, TaskTemplate

NOTE_SIGN = "\N{WARNING SIGN}"
_NOTHING: Mapping[str, str] = {}


def template_picture(
    template: TaskTemplate, *, annotations: Mapping[str, str] = _NOTHING
) -> Picture:
    """Return the graph of a valid template; annotations are texts by names of steps."""
    numbered = [(step.name, f"step_{n}") for n, step in enumerate(template.steps, start=1)]
    ids = dict(zip(template.steps_by_name, unique_ids(numbered), strict=True))
    nodes = tuple(_node(step, ids[step.name], annotations) for step in template.steps)
    edges = tuple(
        Edge(ids[parent], ids[step.name])
        for step in template.steps
        for parent in sorted(step.dependencies)
    )
    return Picture(template.name, nodes, edges)


def unknown_annotations(template: TaskTemplate, annotations: Mapping[str, str]) -> list[str]:
    """Return one warning for each annotation of a step that the template does not have."""
    return [
        f"Annotation references unknown step: '{name}'"
        for name in annotations
        if name not in template.steps_by_name
    ]


def _node(step: StepTemplate, node_id: str, annotations: Mapping[str, str]) -> Node:
    is_annotated = step.name in annotations
    return Node(
        id=node_id,
        name=step.name,
        label=step.name,
        shape=SHAPE_OF[step.type],
        category=Category.ANNOTATED if is_annotated else Category.DEFAULT,
        note=f"{NOTE_SIGN} {annotations[step.name]}" if is_annotated else "",
        caption="" if step.type == "standard" else step.type.replace("_", " "),
    )
