"""A picture drawn as one SVG that needs nothing else (handlers.md 8.5).

Layered from left to right; every node is a group with its step and its state, a tooltip with the
whole name, and lines of text that fit into its outline. What people wrote gets in as escaped text
only.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from orchestration.pictures.escaping import xml_text
from orchestration.pictures.layout import Box, Point, lay_out
from orchestration.pictures.look import style_sheet
from orchestration.pictures.outlines import (
    Outline,
    inset_of,
    number,
    outline,
    outline_lines,
    size_of,
)
from orchestration.pictures.picture import Category, Node, Picture

LinkOf = Callable[[UUID], str]
TIP_LENGTH, TIP_HEIGHT = 8.0, 3.5


def render_svg(picture: Picture, *, link: LinkOf | None = None) -> str:
    """Return the drawing; with `link`, a step that exists leads to the address it returns.

    Raises `graphlib.CycleError` for a graph that no valid template has.
    """
    drawn = [outline(node) for node in picture.nodes]
    place_of = {node.id: place for place, node in enumerate(picture.nodes)}
    pairs = [(place_of[edge.source], place_of[edge.target]) for edge in picture.edges]
    layout = lay_out([size_of(each) for each in drawn], pairs)
    lines = [
        _opening(layout.width, layout.height),
        f"<title>{xml_text(picture.title)}</title>",
        f"<desc>{xml_text(_description(picture))}</desc>",
        f"<style>{style_sheet()}</style>",
        '<rect class="ground" width="100%" height="100%" rx="8"/>',
    ]
    for edge, (source, target), way in zip(picture.edges, pairs, layout.ways, strict=True):
        ends = inset_of(picture.nodes[source]), inset_of(picture.nodes[target])
        line = "solid" if edge.is_solid else "dashed"
        lines.append(f'<path class="edge {line}" d="{_curve(way, ends)}"/>')
    lines += [_tip(picture.nodes[target], layout.boxes[target]) for _, target in _ends(pairs)]
    for each, box in zip(drawn, layout.boxes, strict=True):
        lines += _group(each, box, link)
    return "\n".join([*lines, "</svg>", ""])


def _opening(width: float, height: float) -> str:
    size = f"{number(width)} {number(height)}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="tasker-graph" role="img" '
        f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {size}">'
    )


def _description(picture: Picture) -> str:
    """Say in a sentence what the drawing shows."""
    steps, edges = len(picture.nodes), len(picture.edges)
    text = f"{steps} steps and {edges} dependencies, from left to right"
    if picture.task_uuid is None:
        return f"{text}."
    counts = Counter(node.category for node in picture.nodes)
    words = (f"{counts[each]} {each.replace('_', ' ')}" for each in Category if counts[each])
    return f"{text}: {', '.join(words)}."


def _group(drawn: Outline, box: Box, link: LinkOf | None) -> Iterator[str]:
    """Yield the group of a node, with its link inside."""
    node = drawn.node
    state = node.state or node.category.value
    yield (
        f'<g class="{node.category}" data-step="{xml_text(node.name)}" data-state="{state}">'
        f"<title>{xml_text(_tooltip(node))}</title>"
    )
    elements = "".join(outline_lines(drawn, box))
    if link is not None and node.step_uuid is not None:
        elements = f'<a href="{xml_text(link(node.step_uuid))}">{elements}</a>'
    yield f"{elements}</g>"


def _tooltip(node: Node) -> str:
    return "\n".join(part for part in (node.label, node.note, node.state) if part)


def _curve(way: Sequence[Point], insets: tuple[float, float]) -> str:
    """Return the path of an edge: curves in the gaps between columns, level across columns."""
    first, last = way[0], way[-1]
    points = [
        Point(first.x - insets[0], first.y),
        *way[1:-1],
        Point(last.x + insets[1] - TIP_LENGTH / 2, last.y),
    ]
    parts = [f"M{_at(points[0])}"]
    for begin, end in zip(points[::2], points[1::2], strict=True):
        if parts[1:]:
            parts.append(f"L{_at(begin)}")
        middle = (begin.x + end.x) / 2
        parts.append(f"C{_at(Point(middle, begin.y))} {_at(Point(middle, end.y))} {_at(end)}")
    return "".join(parts)


def _at(point: Point) -> str:
    return f"{number(point.x)} {number(point.y)}"


def _tip(node: Node, box: Box) -> str:
    """Return the arrow head of all edges that end at a node."""
    x, y = box.x + inset_of(node), box.y + box.height / 2
    back = f"-{number(TIP_LENGTH)} -{number(TIP_HEIGHT)}v{number(2 * TIP_HEIGHT)}z"
    return f'<path class="tip" d="M{number(x)} {number(y)}l{back}"/>'


def _ends(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return one of the edges that end at each node."""
    return list({target: (source, target) for source, target in pairs}.values())
