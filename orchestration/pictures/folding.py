"""Texts folded into boxes: how wide a text is, and where it is broken.

Widths are counted in cells of a fixed-width font: letters of East Asia and most emoji take two,
marks over a letter none. What does not fit into the lines loses its middle, since names differ at
their ends.
"""

import re
import unicodedata
from collections.abc import Sequence

from orchestration.pictures.escaping import one_line

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_PIECES = re.compile(r"[^_\-.:/ ]*[_\-.:/ ]?")
_NO_CELL = frozenset(["Mn", "Me", "Cf"])


def cells_of(text: str) -> int:
    """Return how many cells a text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def fold(text: str, *, max_cells: int, max_lines: int) -> list[str]:
    """Return the text in lines, broken after `_`, blanks and the like where possible."""
    text = one_line(text, separator=" ").strip()
    if cells_of(text) <= max_cells:
        return [text]
    lines = _wrap(text, max_cells)
    if len(lines) <= max_lines:
        return lines
    head = _wrap(text, max_cells, at_words=False)[: max_lines - 1]
    return [*head, ELLIPSIS + _end(text, max_cells - 1)]


def _wrap(text: str, max_cells: int, *, at_words: bool = True) -> list[str]:
    lines = [""]
    for piece in _PIECES.findall(text) if at_words else text:
        for part in _cut(piece, max_cells):
            if cells_of(lines[-1]) + cells_of(part.rstrip()) > max_cells:
                lines.append("")
            lines[-1] += part
    return [line.strip() for line in lines]


def _cut(piece: str, max_cells: int) -> Sequence[str]:
    """Return a piece that fits as it is, any other letter by letter."""
    return [piece] if cells_of(piece) <= max_cells else piece


def _end(text: str, max_cells: int) -> str:
    """Return as much of the end of a text as fits."""
    start = len(text)
    while start and cells_of(text[start - 1 :]) <= max_cells:
        start -= 1
    return text[start:]


def _cells(letter: str) -> int:
    if unicodedata.east_asian_width(letter) in "WF":
        return 2
    return 0 if unicodedata.category(letter) in _NO_CELL else 1
