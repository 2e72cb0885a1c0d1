"""What is drawn, before it is known how: nodes, edges, shapes, categories.

`template_picture` and `task_picture` make a `Picture`; `mermaid`, `svg` and `document` turn it into
text. Every node has an id that no other node has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Shape(StrEnum):
    """The outline of a node: what the type of its step does."""

    RECTANGLE = "rectangle"
    DIAMOND = "diamond"
    TRAPEZOID = "trapezoid"
    SUBROUTINE = "subroutine"


SHAPE_OF: Mapping[str, Shape] = {
    "standard": Shape.RECTANGLE,
    "decision": Shape.DIAMOND,
    "deferred_convergence": Shape.TRAPEZOID,
    "batchable": Shape.TRAPEZOID,
    "batch_worker": Shape.SUBROUTINE,
}


class Category(StrEnum):
    """What colour a node has; the order is that of the class definitions in Mermaid."""

    COMPLETED = "completed"
    IN_PROGRESS = "in_progress"
    PENDING = "pending"
    ERROR = "error"
    RETRYING = "retrying"
    ANNOTATED = "annotated"
    UNTRAVERSED = "untraversed"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step, one instance of a batch worker, or a stack of too many instances."""

    id: str
    name: str
    label: str  # the name, or name and count of a stack
    shape: Shape
    category: Category
    note: str = ""  # a second line of the label
    caption: str = ""  # what the SVG says below the label
    state: str = ""  # of the step; empty where it does not exist
    step_uuid: UUID | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency between two nodes, by their ids."""

    source: str
    target: str
    is_solid: bool = True


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph to draw; of a task when there is a `task_uuid`, else of a template."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    task_uuid: UUID | None = None
