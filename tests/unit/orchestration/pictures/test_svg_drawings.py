"""Drawings: one self-contained SVG that nothing breaks out of (handlers.md 8.5)."""

import random
import re
from datetime import timedelta
from graphlib import CycleError
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest

from orchestration.pictures import render_svg, task_picture, template_picture
from orchestration.pictures.look import DARK, LIGHT, Theme
from orchestration.pictures.outlines import MAX_CELLS
from orchestration.pictures.picture import Category
from orchestration.states import StepState
from tests.factories.drawings import SVG, area_of, edges, groups, lines_of, parse, points_of
from tests.factories.graphs import CREATED_AT, graph, instances, step_row, step_uuid_of, template

EVIL = '</text><a xlink:href="javascript:1"><image href=x><script>alert("1")<'
DIAMOND: list[dict[str, Any]] = [
    {"name": "start"},
    {"name": "left", "type": "decision", "dependencies": ["start"]},
    {"name": "right", "type": "batchable", "dependencies": ["start"]},
    {"name": "join", "type": "batch_worker", "dependencies": ["left", "right", "start"]},
]


def draw(*steps: dict[str, Any], **options: Any) -> Any:
    return parse(render_svg(template_picture(template(*steps), **options)))


def large_template(count: int) -> Any:
    chance = random.Random(count)  # noqa: S311 a fixed graph
    kinds = ["standard"] * 6 + ["decision", "batchable", "batch_worker", "deferred_convergence"]
    names = [f"step_{'very_long_' * (n % 3)}{n}" for n in range(count)]
    return template(
        *(
            {
                "name": name,
                "type": chance.choice(kinds),
                "dependencies": chance.sample(names[max(0, n - 40) : n], min(n, n % 3)),
            }
            for n, name in enumerate(names)
        )
    )


def test_a_drawing_says_what_it_is() -> None:
    text = render_svg(template_picture(template(*DIAMOND, name="a < b")))

    root = parse(text)
    assert text.endswith("</svg>\n")
    assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "a < b"
    assert root[1].tag == f"{SVG}desc"
    assert root[1].text == "4 steps and 5 dependencies, from left to right."


def test_a_task_is_described_by_its_states() -> None:
    rows = [step_row("start"), step_row("left", "error", step_type="decision")]

    root = parse(render_svg(task_picture(graph(template(*DIAMOND), rows))))

    assert root[1].text == (
        "4 steps and 5 dependencies, from left to right: "
        "1 completed, 1 pending, 1 error, 1 untraversed."
    )


def test_steps_stand_in_columns_by_their_depth() -> None:
    found = groups(draw(*DIAMOND))

    areas = {name: area_of(group) for name, group in found.items()}
    assert list(areas) == ["start", "left", "right", "join"]
    assert areas["start"].right < areas["left"].left
    assert areas["left"].left == areas["right"].left
    assert areas["right"].right < areas["join"].left


@pytest.mark.parametrize("count", [1, 3, 20, 40])
def test_nothing_overlaps_and_no_edge_runs_through_a_node(count: int) -> None:
    root = parse(render_svg(template_picture(large_template(count))))

    areas = [area_of(group) for group in groups(root).values()]
    assert not any(one.overlaps(other) for one, other in combinations(areas, 2))
    inner = [area._replace(left=area.left + 7, right=area.right - 7) for area in areas]
    for edge in edges(root):
        for x, y in points_of(edge):
            assert not any(area.holds(x, y) for area in inner)


@pytest.mark.parametrize("count", [1, 20, 40])
def test_everything_lies_within_the_drawing(count: int) -> None:
    root = parse(render_svg(template_picture(large_template(count))))

    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    places = [point for edge in edges(root) for point in points_of(edge)]
    for area in [area_of(group) for group in groups(root).values()]:
        places += [(area.left, area.top), (area.right, area.bottom)]
    assert all(0 < x < width and 0 < y < height for x, y in places)


def test_every_state_is_shown_by_class_word_and_attribute() -> None:
    found = template(*({"name": state} for state in StepState.values))
    rows = [step_row(state, state) for state in StepState.values]

    shown = groups(parse(render_svg(task_picture(graph(found, rows)))))

    for state in StepState.values:
        assert shown[state].get("data-state") == state
        assert len(lines_of(shown[state])) >= 2
    assert shown["complete"].get("class") == "completed"
    assert lines_of(shown["complete"])[-1] == "✓ Completed"
    assert lines_of(shown["cancelled"])[-1] == "\N{EN DASH} Cancelled"
    assert lines_of(shown["resolved_manually"])[-1] == "☝ Resolved manually"


def test_a_repeated_step_shows_attempt_and_duration() -> None:
    done_at = CREATED_AT + timedelta(seconds=2)
    row = step_row("a", attempts=2, completed_at=done_at)

    shown = groups(parse(render_svg(task_picture(graph(template({"name": "a"}), [row])))))

    assert lines_of(shown["a"]) == ["a", "✓ Completed · attempt 2/3 · 2s"]


def test_steps_that_do_not_exist_say_why() -> None:
    found = template(*DIAMOND[:2], {"name": "next", "dependencies": ["left"]})
    rows = [step_row("start"), step_row("left", "pending", step_type="decision")]

    before = groups(parse(render_svg(task_picture(graph(found, rows)))))
    after = groups(parse(render_svg(task_picture(graph(found, rows, state="complete")))))

    assert before["next"].get("data-state") == "pending"
    assert lines_of(before["next"]) == ["next", "◌ Not created yet"]
    assert after["next"].get("data-state") == "untraversed"
    assert lines_of(after["next"]) == ["next", "(untraversed)"]


def test_a_stack_is_drawn_once_with_its_counts() -> None:
    found = template(
        {"name": "cut", "type": "batchable"},
        {"name": "work", "type": "batch_worker", "dependencies": ["cut"]},
    )
    rows = [step_row("cut", step_type="batchable"), *instances("work", "error", *["complete"] * 60)]

    shown = groups(parse(render_svg(task_picture(graph(found, rows)))))

    assert list(shown) == ["cut", "work"]
    assert lines_of(shown["work"]) == ["work x61", "✕ 60 completed, 1 error"]


def test_dashed_edges_lead_where_nothing_went() -> None:
    found = template({"name": "a"}, {"name": "b", "dependencies": ["a"]})

    def line(state: str) -> str:
        rows = [step_row("a", state), step_row("b", "pending")]
        [edge] = edges(parse(render_svg(task_picture(graph(found, rows)))))
        return str(edge.get("class"))

    assert line("complete") == "edge solid"
    assert line("in_progress") == "edge dashed"


def test_hostile_texts_stay_texts() -> None:
    root = draw({"name": '"><b onload=x>&'}, {"name": "b"}, annotations={"b": EVIL})

    shown = groups(root)
    assert lines_of(shown['"><b onload=x>&']) == ['"><b onload=x>&']
    assert EVIL in shown["b"][0].text
    tags = {each.tag.removeprefix(SVG) for each in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "path", "text", "polygon"}


def test_nothing_can_run_or_be_fetched() -> None:
    text = render_svg(template_picture(template({"name": "x"}), annotations={"x": EVIL}))

    root = parse(text)
    attributes = {key for each in root.iter() for key in each.attrib}
    assert not {key for key in attributes if key.startswith("on") or key in ("style", "href")}
    assert not re.search(r"url\(|@import|http(?!://www\.w3\.org/2000/svg)", text)


def test_letters_that_xml_forbids_are_replaced() -> None:
    root = draw({"name": "a"}, annotations={"a": "x\x00\x1b\ud800\ufffey"})

    assert lines_of(groups(root)["a"])[1] == "⚠ x\ufffd\ufffd\ufffd\ufffdy"


def test_links_lead_only_where_the_caller_says() -> None:
    rows = [step_row("start"), step_row("left", "pending", step_type="decision")]
    picture = task_picture(graph(template(*DIAMOND), rows))

    plain = parse(render_svg(picture))
    linked = parse(render_svg(picture, link=lambda uuid: f'/steps/{uuid}?a="1"&b=<2>'))

    assert not list(plain.iter(f"{SVG}a"))
    targets = {
        name: [each.get("href") for each in group.iter(f"{SVG}a")]
        for name, group in groups(linked).items()
    }
    assert targets == {
        "start": [f'/steps/{step_uuid_of("start")}?a="1"&b=<2>'],
        "left": [f'/steps/{step_uuid_of("left")}?a="1"&b=<2>'],
        "right": [],
        "join": [],
    }


@pytest.mark.parametrize(
    "name",
    ["x" * 128, "名" * 100, "word " * 20 + "end", "a" + "\u0301" * 100, "🚀" * 64, "W" * 28],
)
def test_a_long_name_is_folded_and_whole_in_its_tooltip(name: str) -> None:
    group = groups(draw({"name": name}))[name]

    area = area_of(group)
    assert 1 <= len(lines_of(group)) <= 2
    assert area.right - area.left <= MAX_CELLS * 7.3 + 30
    assert group[0].text == name
    assert lines_of(group)[-1][-1] == name[-1]


def test_an_empty_picture_is_a_drawing() -> None:
    empty = template({"name": "a"}).with_steps([])

    assert parse(render_svg(template_picture(empty))).get("width") == "16"


def test_a_cycle_is_refused() -> None:
    circle = template({"name": "a", "dependencies": ["b"]}, {"name": "b", "dependencies": ["a"]})

    with pytest.raises(CycleError):
        render_svg(template_picture(circle))


def test_more_bends_than_anybody_could_follow_are_left_out() -> None:
    names = [f"s{n}" for n in range(60)]
    web = template(
        *(
            {"name": name, "dependencies": names[:n:2] + names[n - 1 : n]}
            for n, name in enumerate(names)
        )
    )

    root = parse(render_svg(template_picture(web)))

    assert len(groups(root)) == 60
    assert len(edges(root)) == sum(len(step.dependencies) for step in web.steps)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_ground(theme: Theme) -> None:
    assert theme.nodes.keys() == set(Category)
    for category, colours in theme.nodes.items():
        assert contrast(colours.text, colours.fill) >= 4.5, category


def test_dark_and_light_differ() -> None:
    text = render_svg(template_picture(template({"name": "a"})))

    assert "@media (prefers-color-scheme: dark)" in text
    for category in Category:
        assert f".tasker-graph .{category} {{" in text
        assert f".dark .tasker-graph .{category}" in text
    ElementTree.fromstring(text)  # noqa: S314 our own text


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2 for two colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
