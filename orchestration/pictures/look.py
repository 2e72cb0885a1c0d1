"""The colours of a drawing, as the style sheet that every SVG carries.

Classes only: nothing that a user wrote gets in here. Dark colours are for a dark system, and for
pages that say `class="dark"`; a page that says `class="light"` keeps the light ones. Every text
stands out from its ground by 4.5 to 1 at least, which a test works out.
"""

from collections.abc import Mapping
from typing import NamedTuple

from orchestration.pictures.picture import Category


class Colours(NamedTuple):
    """Colours of one kind of node."""

    fill: str
    stroke: str
    text: str


class Theme(NamedTuple):
    """Colours of a whole drawing."""

    ground: str
    edge: str
    nodes: Mapping[Category, Colours]


_YELLOW, _DARK_YELLOW = (
    Colours("#fff3cd", "#d39e00", "#765503"),
    Colours("#3a2c05", "#d29922", "#f5dc9a"),
)
LIGHT = Theme(
    "#ffffff",
    "#6c757d",
    {
        Category.DEFAULT: Colours("#ffffff", "#495057", "#212529"),
        Category.COMPLETED: Colours("#d4edda", "#28a745", "#155724"),
        Category.IN_PROGRESS: Colours("#cce5ff", "#007bff", "#004085"),
        Category.PENDING: Colours("#e2e3e5", "#6c757d", "#383d41"),
        Category.ERROR: Colours("#f8d7da", "#dc3545", "#721c24"),
        Category.RETRYING: _YELLOW,
        Category.ANNOTATED: _YELLOW,
        Category.UNTRAVERSED: Colours("#f8f9fa", "#adb5bd", "#5c636a"),
    },
)
DARK = Theme(
    "#0d1117",
    "#8b949e",
    {
        Category.DEFAULT: Colours("#1c2128", "#8b949e", "#e6edf3"),
        Category.COMPLETED: Colours("#12301c", "#3fb950", "#b4f1c0"),
        Category.IN_PROGRESS: Colours("#0c2d57", "#58a6ff", "#cae8ff"),
        Category.PENDING: Colours("#2d333b", "#8b949e", "#d5dbe1"),
        Category.ERROR: Colours("#4c1519", "#f85149", "#ffdcd7"),
        Category.RETRYING: _DARK_YELLOW,
        Category.ANNOTATED: _DARK_YELLOW,
        Category.UNTRAVERSED: Colours("#14181d", "#6e7681", "#a3adb8"),
    },
)
_STRUCTURE = """
.tasker-graph .label { font: 600 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.tasker-graph .caption { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
.tasker-graph text { text-anchor: middle; stroke: none }
.tasker-graph .node { stroke-width: 1.5; stroke-linejoin: round }
.tasker-graph .untraversed { stroke-dasharray: 5 }
.tasker-graph .edge { fill: none; stroke-width: 1.5 }
.tasker-graph .dashed { stroke-dasharray: 5 4 }
.tasker-graph a:hover .node, .tasker-graph a:focus .node { stroke-width: 3 }
"""


def style_sheet() -> str:
    """Return the style sheet; it holds no letter that XML would have to escape but `>`."""
    in_page = _rules(DARK, ".dark .tasker-graph", ".tasker-graph.dark")
    by_system = _rules(DARK, ":root:not(.light) .tasker-graph", ":root.tasker-graph")
    return (
        _rules(LIGHT, ".tasker-graph")
        + _STRUCTURE
        + in_page
        + f"\n@media (prefers-color-scheme: dark) {{{by_system}\n}}\n"
    )


def _rules(theme: Theme, *roots: str) -> str:
    """Return the colours of a theme for drawings that one of the selectors finds."""
    rules = [
        (".ground", f"fill: {theme.ground}"),
        (".edge", f"stroke: {theme.edge}"),
        (".tip", f"fill: {theme.edge}"),
    ]
    for category, colours in theme.nodes.items():
        rules.append((f".{category}", f"fill: {colours.fill}; stroke: {colours.stroke}"))
        rules.append((f".{category} text", f"fill: {colours.text}"))
    return "".join(
        f"\n{', '.join(f'{root} {part}' for root in roots)} {{ {look} }}" for part, look in rules
    )
