"""A timeline drawn as one SVG that needs nothing else: a row for each step, a bar for each span.

Every bar says in its tooltip what it is and how long it took; what people wrote gets in as escaped
text only. The table of steps beside it says the same in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.pictures.durations import duration_text
from orchestration.pictures.escaping import xml_text
from orchestration.pictures.folding import fold
from orchestration.pictures.outlines import number
from orchestration.pictures.time_axis import Scale, TimeAxis
from orchestration.pictures.timeline import WORD_OF, Span, SpanKind, TimelineRow, critical_path

LABEL_WIDTH, LINE_WIDTH, MARGIN = 190.0, 760.0, 12.0
LABEL_CELLS = 26
ROW_HEIGHT, BAR_HEIGHT, HEAD_HEIGHT = 22.0, 12.0, 46.0
SHORTEST_BAR = 2.0
_HATCH = (
    '<pattern id="tk-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="hatch" d="M0 0v6"/></pattern>'
)
STYLE = """
.tasker-timeline text { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
.tasker-timeline text { fill: #383d41 }
.tasker-timeline .ground { fill: #ffffff }
.tasker-timeline .grid { stroke: #dee2e6 }
.tasker-timeline .queue { fill: #9ec5fe; stroke: #3d6fb6 }
.tasker-timeline .run { fill: #1f7a3d; stroke: #155724 }
.tasker-timeline .backoff { fill: #ffe69c; stroke: #856404; stroke-dasharray: 3 2 }
.tasker-timeline .result { fill: #d2cbe4; stroke: #6b5b95 }
.tasker-timeline .critical text { font-weight: 700 }
.tasker-timeline .critical .rail { stroke: #721c24; stroke-width: 2 }
.tasker-timeline .rail { stroke: none }
.tasker-timeline .hatch { stroke: #6c757d }
.tasker-timeline .mark { fill: #721c24 }
.dark .tasker-timeline text { fill: #d5dbe1 }
.dark .tasker-timeline .ground { fill: #0d1117 }
.dark .tasker-timeline .grid { stroke: #2d333b }
.dark .tasker-timeline .queue { fill: #1d4b8f; stroke: #8ab9ff }
.dark .tasker-timeline .run { fill: #3fb950; stroke: #7ee093 }
.dark .tasker-timeline .backoff { fill: #5c4508; stroke: #f5dc9a }
.dark .tasker-timeline .result { fill: #493f69; stroke: #c3b6ec }
.dark .tasker-timeline .critical .rail { stroke: #ff8f88 }
.dark .tasker-timeline .hatch { stroke: #8b949e }
.dark .tasker-timeline .mark { fill: #ff8f88 }
"""


@dataclass(frozen=True, slots=True)
class TaskMove:
    """One move of the task itself, shown above the rows."""

    at: datetime
    state: str
    event: str


def render_timeline(
    rows: Sequence[TimelineRow],
    *,
    title: str,
    parents: Mapping[str, Sequence[str]],
    moves: Sequence[TaskMove] = (),
    scale: Scale = "run",
) -> str:
    """Return the drawing; `parents` says which steps a step waits for."""
    stretches = [(span.begin, span.end) for row in rows for span in row.spans]
    axis = TimeAxis(stretches, width=LINE_WIDTH, scale=scale)
    critical = critical_path(rows, parents)
    height = HEAD_HEIGHT + ROW_HEIGHT * len(rows) + MARGIN
    width = LABEL_WIDTH + LINE_WIDTH + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tasker-timeline" role="img" '
        f'width="{number(width)}" height="{number(height)}" '
        f'viewBox="0 0 {number(width)} {number(height)}">',
        f"<title>{xml_text(f'Timeline of {title}')}</title>",
        f"<desc>{xml_text(_description(rows, critical))}</desc>",
        f"<style>{STYLE}</style><defs>{_HATCH}</defs>",
        '<rect class="ground" width="100%" height="100%" rx="8"/>',
        *_scale(axis, height),
        *_marks(axis, moves),
    ]
    for place, row in enumerate(rows):
        lines += _row(row, HEAD_HEIGHT + ROW_HEIGHT * place, axis, is_critical=row.step in critical)
    return "\n".join([*lines, "</svg>", ""])


def _description(rows: Sequence[TimelineRow], critical: set[str]) -> str:
    busy = [row for row in rows if row.spans]
    if not busy:
        return "No step has been enqueued yet."
    begin = min(row.spans[0].begin for row in busy)
    end = max(row.spans[-1].end for row in busy)
    return (
        f"{len(busy)} steps in {duration_text(end - begin)}; on the critical path: "
        f"{', '.join(row.step for row in busy if row.step in critical)}."
    )


def _scale(axis: TimeAxis, height: float) -> Iterator[str]:
    """Yield the lines of the times, and the strips of what was cut out."""
    top, bottom = HEAD_HEIGHT - 6, height - MARGIN
    for tick in axis.ticks():
        x = number(LABEL_WIDTH + MARGIN + tick.at)
        text = duration_text(timedelta(seconds=tick.seconds))
        yield f'<path class="grid" d="M{x} {number(top)}V{number(bottom)}"/>'
        yield f'<text x="{x}" y="{number(top - 4)}" text-anchor="middle">{text}</text>'
    for piece in axis.cuts:
        left, width = LABEL_WIDTH + MARGIN + piece.left, piece.right - piece.left
        yield (
            f'<rect fill="url(#tk-hatch)" x="{number(left)}" y="{number(top)}" '
            f'width="{number(width)}" height="{number(bottom - top)}">'
            f"<title>nothing for {duration_text(piece.end - piece.begin)}</title></rect>"
        )


def _marks(axis: TimeAxis, moves: Sequence[TaskMove]) -> Iterator[str]:
    """Yield the moves of the task as marks on the upper edge."""
    for move in moves:
        x = number(LABEL_WIDTH + MARGIN + axis.place(move.at))
        words = f"task: {move.state.replace('_', ' ')} ({move.event}) at {move.at:%H:%M:%S.%f}"
        yield f'<path class="mark" d="M{x} 14l-4-8h8z"><title>{xml_text(words)}</title></path>'


def _row(row: TimelineRow, y: float, axis: TimeAxis, *, is_critical: bool) -> Iterator[str]:
    (label,) = fold(row.step, max_cells=LABEL_CELLS, max_lines=1)
    middle = y + ROW_HEIGHT / 2
    path = "; critical path" if is_critical else ""
    yield (
        f'<g class="{"critical" if is_critical else "row"}" data-step="{xml_text(row.step)}">'
        f"<title>{xml_text(f'{row.step}: {row.state}{path}')}</title>"
        f'<path class="rail" d="M{number(MARGIN / 2)} {number(y + 4)}v{number(ROW_HEIGHT - 8)}"/>'
        f'<text x="{number(MARGIN)}" y="{number(middle + 4)}">{xml_text(label)}</text>'
    )
    for span in row.spans:
        yield _bar(span, middle, axis)
    yield "</g>"


def _bar(span: Span, middle: float, axis: TimeAxis) -> str:
    left, right = axis.place(span.begin), axis.place(span.end)
    thickness = BAR_HEIGHT if span.kind is SpanKind.RUN else BAR_HEIGHT - 4
    still = " so far" if span.is_open else ""
    words = (
        f"{WORD_OF[span.kind]}, attempt {span.attempt}: {duration_text(span.duration)}{still}, "
        f"from {span.begin:%H:%M:%S.%f}"
    )
    return (
        f'<rect class="{span.kind}" x="{number(LABEL_WIDTH + MARGIN + left)}" '
        f'y="{number(middle - thickness / 2)}" width="{number(max(right - left, SHORTEST_BAR))}" '
        f'height="{number(thickness)}" rx="2"><title>{xml_text(words)}</title></rect>'
    )
