"""One node as SVG: its outline by its shape, its lines of text, and how much room they need."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.pictures.escaping import xml_text
from orchestration.pictures.folding import cells_of, fold
from orchestration.pictures.layout import Box, Point, Size
from orchestration.pictures.picture import Node, Shape

MAX_CELLS, MAX_SMALL_CELLS = 28, 31
LABEL_LINES, NOTE_LINES, CAPTION_LINES = 2, 3, 2
LABEL_HEIGHT, CAPTION_HEIGHT = 16.0, 14.0
LABEL_CELL, CAPTION_CELL = 7.3, 6.6  # pixels of one cell, by the fonts of look.py
PADDING_X, PADDING_Y = 12.0, 8.0
SKEW, BAR, STACK = 12.0, 6.0, 4.0
MAX_TIP = 22.0
ASCENT = 0.75  # of a line: where its letters stand


@dataclass(frozen=True, slots=True)
class Outline:
    """A node with its texts already folded."""

    node: Node
    label: list[str]
    caption: list[str]

    @property
    def text_height(self) -> float:
        """How high all lines are together."""
        return len(self.label) * LABEL_HEIGHT + len(self.caption) * CAPTION_HEIGHT


def outline(node: Node) -> Outline:
    """Fold the texts of a node."""
    label = fold(node.label, max_cells=MAX_CELLS, max_lines=LABEL_LINES)
    small: list[str] = []
    for text, max_lines in ((node.note, NOTE_LINES), (node.caption, CAPTION_LINES)):
        small += fold(text, max_cells=MAX_SMALL_CELLS, max_lines=max_lines) if text else []
    return Outline(node, label, small)


def size_of(drawn: Outline) -> Size:
    """Return the room that a node needs."""
    width = max(
        *(cells_of(line) * LABEL_CELL for line in drawn.label),
        *(cells_of(line) * CAPTION_CELL for line in drawn.caption),
        4 * LABEL_CELL,
    )
    height = drawn.text_height + 2 * PADDING_Y
    beside = {Shape.DIAMOND: _tip(height), Shape.TRAPEZOID: SKEW, Shape.SUBROUTINE: BAR}
    return Size(width + 2 * (PADDING_X + beside.get(drawn.node.shape, 0.0)), height)


def inset_of(node: Node) -> float:
    """Return how far inside its box a node begins at the height where edges meet it."""
    return SKEW / 2 if node.shape is Shape.TRAPEZOID else 0.0


def number(value: float) -> str:
    """Return a coordinate."""
    return f"{value:.7g}"


def outline_lines(drawn: Outline, box: Box) -> Iterator[str]:
    """Yield the elements of a node."""
    shape = drawn.node.shape
    if drawn.node.label != drawn.node.name:
        yield _frame(shape, Box(box.x + STACK, box.y + STACK, box.width, box.height))
    yield _frame(shape, box)
    if shape is Shape.SUBROUTINE:
        for x in (box.x + BAR, box.x + box.width - BAR):
            yield f'<path class="node" d="M{number(x)} {number(box.y)}v{number(box.height)}"/>'
    middle = box.x + box.width / 2
    y = box.y + (box.height - drawn.text_height) / 2
    for line in drawn.label:
        yield _text(line, Point(middle, y + LABEL_HEIGHT * ASCENT), "label", LABEL_CELL)
        y += LABEL_HEIGHT
    for line in drawn.caption:
        yield _text(line, Point(middle, y + CAPTION_HEIGHT * ASCENT), "caption", CAPTION_CELL)
        y += CAPTION_HEIGHT


def _text(line: str, at: Point, kind: str, cell: float) -> str:
    """Return a line of text; one in other letters is squeezed into the width counted for it."""
    squeezed = ""
    if not line.isascii() and kind == "label":
        length = number(cells_of(line) * cell)
        squeezed = f' textLength="{length}" lengthAdjust="spacingAndGlyphs"'
    place = f'x="{number(at.x)}" y="{number(at.y)}"'
    return f'<text class="{kind}" {place}{squeezed}>{xml_text(line)}</text>'


def _frame(shape: Shape, box: Box) -> str:
    """Return the outline of a shape that fills a box."""
    if shape in (Shape.RECTANGLE, Shape.SUBROUTINE):
        x, y, width, height = map(number, box)
        corner = 6 if shape is Shape.RECTANGLE else 2
        place = f'x="{x}" y="{y}" width="{width}" height="{height}" rx="{corner}"'
        return f'<rect class="node" {place}/>'
    points = " ".join(f"{number(x)},{number(y)}" for x, y in _corners(shape, box))
    return f'<polygon class="node" points="{points}"/>'


def _corners(shape: Shape, box: Box) -> list[Point]:
    """Return the corners of a diamond or a trapezoid."""
    left, right, top, bottom = box.x, box.x + box.width, box.y, box.y + box.height
    if shape is Shape.DIAMOND:
        tip, middle = _tip(box.height), box.y + box.height / 2
        upper = [Point(left, middle), Point(left + tip, top), Point(right - tip, top)]
        return [*upper, Point(right, middle), Point(right - tip, bottom), Point(left + tip, bottom)]
    upper = [Point(left + SKEW, top), Point(right, top)]
    return [*upper, Point(right - SKEW, bottom), Point(left, bottom)]


def _tip(height: float) -> float:
    """Return how far the sides of a diamond reach out."""
    return min(height / 2, MAX_TIP)
