"""Bars and lines over slices of time."""

from xml.etree import ElementTree

import pytest

from orchestration.pictures.charts import Series, render_chart


def drawn(series, **rest) -> ElementTree.Element:
    labels = rest.pop("labels", ["10:00", "11:00", "12:00"])
    text = render_chart("Tasks", labels, series, **rest)
    return ElementTree.fromstring(text)  # noqa: S314 our own drawing


def found(drawing: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [each for each in drawing.iter() if each.tag.endswith(f"}}{tag}")]


def test_every_number_has_a_bar_as_high_as_it_is_large():
    bars = found(drawn([Series("created", [10, 0, 5]), Series("failed", [None, 2, 1])]), "rect")

    heights = {bar[0].text: float(bar.attrib["height"]) for bar in bars}
    assert heights["10:00: 10 created"] == pytest.approx(2 * heights["12:00: 5 created"])
    assert len(bars) == 4


def test_a_line_is_interrupted_where_there_is_no_number():
    drawing = drawn([Series("median", [1.0, None, 3.0])], kind="lines", unit=" s")

    (line,) = [each for each in found(drawing, "path") if "line" in each.attrib["class"]]
    assert line.attrib["d"].count("M") == 2
    assert [each[0].text for each in found(drawing, "circle")] == [
        "10:00: 1 s median",
        "12:00: 3 s median",
    ]


@pytest.mark.parametrize("values", [[], [None, None, None], [0, 0, 0], [1e-7, 0, 0], [9e12, 1, 1]])
def test_any_numbers_can_be_drawn(values):
    drawing = drawn([Series("created", values)])

    assert found(drawing, "desc")


def test_names_and_labels_are_text():
    drawing = drawn([Series("<b>", [1])], labels=["<script>"])

    assert not found(drawing, "script")
    assert "<b>: 1 at most" in (found(drawing, "desc")[0].text or "")
