"""A picture as Mermaid text (handlers.md 8.1 and 8.3)."""

from collections.abc import Iterator

from orchestration.pictures.escaping import one_line
from orchestration.pictures.picture import Category, Node, Picture, Shape

# fill, stroke and what else there is to say, in the order of the definitions
_CLASSES = {
    Category.COMPLETED: "fill:#d4edda,stroke:#28a745",
    Category.IN_PROGRESS: "fill:#cce5ff,stroke:#007bff",
    Category.PENDING: "fill:#e2e3e5,stroke:#6c757d",
    Category.ERROR: "fill:#f8d7da,stroke:#dc3545",
    Category.RETRYING: "fill:#fff3cd,stroke:#ffc107",
    Category.ANNOTATED: "fill:#fff3cd,stroke:#ffc107",
    Category.UNTRAVERSED: "fill:#f8f9fa,stroke:#dee2e6,stroke-dasharray:5",
    Category.DEFAULT: "fill:#ffffff,stroke:#333333",
}
_BRACKETS = {
    Shape.RECTANGLE: ("[", "]"),
    Shape.DIAMOND: ("{", "}"),
    Shape.TRAPEZOID: ("[/", "/]"),
    Shape.SUBROUTINE: ("[[", "]]"),
}
_ENTITIES = (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"))
NEW_LINE = r"\n"  # two characters, which Mermaid reads as a line break


def mermaid_lines(picture: Picture) -> list[str]:
    """Return the lines of the graph; an empty one stands between nodes and edges."""
    shows_states = picture.task_uuid is not None
    lines = ["graph TD", *(f"    {line}" for line in _class_definitions(picture))]
    if shows_states:
        lines.append("")
    lines += [f"    {_node(node, shows_states=shows_states)}" for node in picture.nodes]
    lines.append("")
    arrows = {True: "-->", False: "-.->"}
    lines += [f"    {edge.source} {arrows[edge.is_solid]} {edge.target}" for edge in picture.edges]
    return lines


def _class_definitions(picture: Picture) -> Iterator[str]:
    """Yield all classes for a task, and for a template the one that it uses."""
    used = {node.category for node in picture.nodes} - {Category.DEFAULT}
    for category, look in _CLASSES.items():
        if picture.task_uuid is not None or category in used:
            yield f"classDef {category} {look}"


def _node(node: Node, *, shows_states: bool) -> str:
    """Return id, label and shape; the label is quoted unless it can be read as it is."""
    is_quoted = shows_states or bool(node.note) or node.label != node.id
    label = f'"{_quoted_label(node)}"' if is_quoted else node.label
    begin, end = _BRACKETS[node.shape]
    is_coloured = shows_states or node.category is not Category.DEFAULT
    return f"{node.id}{begin}{label}{end}" + (f":::{node.category}" if is_coloured else "")


def _quoted_label(node: Node) -> str:
    parts = [node.label, node.note] if node.note else [node.label]
    return NEW_LINE.join(_escaped(part) for part in parts)


def _escaped(text: str) -> str:
    for letter, entity in _ENTITIES:
        text = text.replace(letter, entity)
    return one_line(text, separator=NEW_LINE)
