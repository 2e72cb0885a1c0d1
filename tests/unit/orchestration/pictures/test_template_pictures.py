"""Pictures of templates: the graph and the document (handlers.md 8 and 8.1)."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestration.pictures import render_template, unknown_annotations
from templates_registry.schema import load_file
from tests.factories.graphs import template

HERE = Path(__file__).parent
PARCEL_RETURN = HERE.parents[1] / "templates_registry" / "parcel_return.yaml"


def graph_lines(*steps: dict[str, Any], **options: Any) -> list[str]:
    text = render_template(template(*steps), output_format="mermaid", **options)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    return text.splitlines()


def node_of(step: dict[str, Any]) -> str:
    return graph_lines(step)[1]


def test_the_example_of_the_contract() -> None:
    golden = (HERE / "parcel_return.md").read_text("utf-8")

    assert render_template(load_file(PARCEL_RETURN)) == golden


def test_the_graph_alone_stops_after_its_fence() -> None:
    golden = (HERE / "parcel_return.md").read_text("utf-8")

    text = render_template(load_file(PARCEL_RETURN), graph_only=True)

    assert text == golden.partition("\n\n## Step Details")[0] + "\n"


def test_mermaid_is_the_graph_without_fences() -> None:
    golden = (HERE / "parcel_return.md").read_text("utf-8")

    text = render_template(load_file(PARCEL_RETURN), output_format="mermaid")

    assert text == golden.partition("```mermaid\n")[2].partition("```\n")[0]


@pytest.mark.parametrize(
    ("kind", "node"),
    [
        ("standard", "a[a]"),
        ("decision", "a{a}"),
        ("deferred_convergence", "a[/a/]"),
        ("batchable", "a[/a/]"),
        ("batch_worker", "a[[a]]"),
    ],
)
def test_a_type_has_its_shape(kind: str, node: str) -> None:
    assert node_of({"name": "a", "type": kind}) == f"    {node}"


def test_edges_follow_the_steps_and_their_sorted_dependencies() -> None:
    lines = graph_lines(
        {"name": "z", "dependencies": ["b", "B", "a"]}, {"name": "b"}, {"name": "a"}, {"name": "B"}
    )

    assert lines == [
        "graph TD",
        "    z[z]",
        "    b[b]",
        "    a[a]",
        "    B[B]",
        "",
        "    B --> z",
        "    a --> z",
        "    b --> z",
    ]


@pytest.mark.parametrize(
    "name",
    ["end", "End", "GRAPH", "subgraph", "flowchart", "style", "class", "classDef", "click",
     "default", "direction", "linkStyle", "1st", "a-b", "a b", "é", "a.b", "名"],
)  # fmt: skip
def test_a_name_that_mermaid_would_misread_gets_a_number_and_quotes(name: str) -> None:
    assert node_of({"name": name}) == f'    step_1["{name}"]'


@pytest.mark.parametrize("name", ["_", "ends", "Step_2", "x1", "_endless"])
def test_a_plain_name_is_its_own_id(name: str) -> None:
    assert node_of({"name": name}) == f"    {name}[{name}]"


def test_a_number_gives_way_to_a_step_of_that_name() -> None:
    lines = graph_lines(
        {"name": "first one"},
        {"name": "second one", "dependencies": ["first one", "step_1"]},
        {"name": "step_1"},
        {"name": "step_2_"},
        {"name": "step_2"},
    )

    assert lines[1:6] == [
        '    step_1_["first one"]',
        '    step_2__["second one"]',
        "    step_1[step_1]",
        "    step_2_[step_2_]",
        "    step_2[step_2]",
    ]
    assert lines[7:] == ["    step_1_ --> step_2__", "    step_1 --> step_2__"]


def test_a_label_is_escaped_hash_first() -> None:
    node = node_of({"name": '"]; <b>#quot;'})

    assert node == '    step_1["#quot;]; #lt;b#gt;#35;quot;"]'


def test_an_annotation_is_a_second_line_and_a_class() -> None:
    lines = graph_lines(
        {"name": "a"}, {"name": "b", "type": "decision"}, annotations={"b": 'Slow "#1"\r\n<now>'}
    )

    assert lines[:4] == [
        "graph TD",
        "    classDef annotated fill:#fff3cd,stroke:#ffc107",
        "    a[a]",
        r'    b{"b\n⚠ Slow #quot;#35;1#quot;\n#lt;now#gt;"}:::annotated',
    ]


def test_unknown_annotations_are_told_and_not_drawn() -> None:
    found = template({"name": "a"})

    assert unknown_annotations(found, {"a": "yes", "x": "no"}) == [
        "Annotation references unknown step: 'x'"
    ]
    assert graph_lines({"name": "a"}, annotations={"x": "no"})[1] == "    a[a]"


def test_json_tells_the_same() -> None:
    found = template({"name": "a b"}, {"name": "b", "type": "decision", "dependencies": ["a b"]})

    text = render_template(found, output_format="json", annotations={"b": "Slow", "x": ""})

    assert text.endswith("}\n")
    assert json.loads(text) == {
        "graph": {
            "nodes": [
                {
                    "id": "step_1",
                    "label": "a b",
                    "visual_category": "default",
                    "node_shape": "rectangle",
                    "resource_path": None,
                },
                {
                    "id": "b",
                    "label": "b\n⚠ Slow",
                    "visual_category": "annotated",
                    "node_shape": "diamond",
                    "resource_path": None,
                },
            ],
            "edges": [{"from": "step_1", "to": "b", "edge_style": "solid"}],
        },
        "table": {
            "header": ["Step", "Type", "Handler", "Dependencies", "Schema Fields", "Retry"],
            "rows": [
                ["a b", "Standard", "do.0", "—", "—", "—"],
                ["b", "Decision", "do.1", "a b", "—", "—"],
            ],
        },
        "warnings": ["Annotation references unknown step: 'x'"],
    }


def test_json_of_the_graph_alone_has_no_table() -> None:
    text = render_template(template({"name": "a"}), output_format="json", graph_only=True)

    assert json.loads(text).keys() == {"graph", "warnings"}


def test_a_title_cannot_break_out_of_its_heading() -> None:
    text = render_template(template({"name": "a"}, name="<img> | x"))

    assert text.startswith("# &lt;img> \\| x\n\n```mermaid\n")
