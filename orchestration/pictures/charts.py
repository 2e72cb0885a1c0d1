"""Small charts as SVG: bars side by side, or lines, over slices of time. Pure.

Colours come from the page by the classes `one`, `two` and `three`; the table beside a chart says
the same in numbers.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from orchestration.pictures.escaping import xml_text
from orchestration.pictures.outlines import number

WIDTH, HEIGHT = 560.0, 170.0
LEFT, BOTTOM, TOP = 56.0, 22.0, 10.0
MOST_LABELS = 6
GRID_LINES = 4
CLASSES = ("one", "two", "three")


class Series(NamedTuple):
    """One row of numbers; None where there is none."""

    name: str
    values: Sequence[float | None]


def render_chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    kind: Literal["bars", "lines"] = "bars",
    unit: str = "",
) -> str:
    """Return the drawing of up to three series with one value for each label."""
    top = _rounded_up(max((v for each in series for v in each.values if v is not None), default=0))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tk-chart" role="img" '
        f'viewBox="0 0 {number(WIDTH)} {number(HEIGHT)}">',
        f"<title>{xml_text(title)}</title>",
        f"<desc>{xml_text(_description(series, unit))}</desc>",
        *_grid(top, unit),
        *_labels(labels),
    ]
    draw = _bars if kind == "bars" else _lines
    lines += draw(labels, series, top, unit)
    return "\n".join([*lines, "</svg>"])


def _rounded_up(value: float) -> float:
    """Return the next number that is 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 10.0**-6
    while True:
        for factor in (1, 2, 5):
            if factor * power >= value:
                return factor * power
        power *= 10


def _description(series: Sequence[Series], unit: str) -> str:
    texts = []
    for each in series:
        known = [value for value in each.values if value is not None]
        most = f"{max(known):g}{unit} at most" if known else "no values"
        texts.append(f"{each.name}: {most}")
    return "; ".join(texts)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _grid(top: float, unit: str) -> Iterator[str]:
    for place in range(GRID_LINES + 1):
        value = top * place / GRID_LINES
        y = number(_y(value, top))
        yield f'<path class="grid" d="M{number(LEFT)} {y}H{number(WIDTH)}"/>'
        text = f"{value:.3g}{unit}"
        yield f'<text x="{number(LEFT - 6)}" y="{y}" dy="4" text-anchor="end">{text}</text>'


def _slot(labels: Sequence[str]) -> float:
    return (WIDTH - LEFT) / max(len(labels), 1)


def _labels(labels: Sequence[str]) -> Iterator[str]:
    slot, every = _slot(labels), max(len(labels) // MOST_LABELS, 1)
    for place, label in enumerate(labels):
        if place % every == 0:
            x = number(LEFT + slot * (place + 0.5))
            place_of = f'x="{x}" y="{number(HEIGHT - 6)}" text-anchor="middle"'
            yield f"<text {place_of}>{xml_text(label)}</text>"


def _bars(labels: Sequence[str], series: Sequence[Series], top: float, unit: str) -> Iterator[str]:
    slot = _slot(labels)
    width = slot * 0.8 / max(len(series), 1)
    for row, (each, name) in enumerate(zip(series, CLASSES, strict=False)):
        for place, value in enumerate(each.values):
            if not value:
                continue
            x = LEFT + slot * (place + 0.1) + width * row
            y = _y(value, top)
            yield (
                f'<rect class="{name}" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
                f'height="{number(HEIGHT - BOTTOM - y)}"><title>'
                f"{xml_text(f'{labels[place]}: {value:g}{unit} {each.name}')}</title></rect>"
            )


def _lines(labels: Sequence[str], series: Sequence[Series], top: float, unit: str) -> Iterator[str]:
    slot = _slot(labels)
    for each, name in zip(series, CLASSES, strict=False):
        path, is_down = "", False
        for place, value in enumerate(each.values):
            if value is None:
                is_down = False
                continue
            x, y = number(LEFT + slot * (place + 0.5)), number(_y(value, top))
            path += f"{'L' if is_down else 'M'}{x} {y}"
            is_down = True
            yield (
                f'<circle class="{name}" cx="{x}" cy="{y}" r="2.5"><title>'
                f"{xml_text(f'{labels[place]}: {value:.3g}{unit} {each.name}')}</title></circle>"
            )
        if path:
            yield f'<path class="line {name}" style="fill:none" d="{path}"/>'
