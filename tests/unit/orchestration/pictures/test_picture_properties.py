"""Whatever a template is called: ids differ, lines stay lines, a drawing is XML."""

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.pictures import (
    render_svg,
    render_task,
    render_template,
    task_picture,
    template_picture,
)
from orchestration.states import StepState, TaskState
from templates_registry.schema import TaskTemplate
from tests.factories.drawings import area_of, groups, parse
from tests.factories.graphs import graph, step_row, template

ROUNDS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = ["standard", "decision", "deferred_convergence", "batchable", "batch_worker"]
HOSTILE = [
    "end", "END", "graph", "default", "step_1", "step_2", "step_1_", "step_2_1", "a b", "<b>", "]]",
    '"', "#quot;", "|", "`x`", "%%{init}%%", "--> b", ":::error", "a;b", "\u202e", "名", "🚀",
    "&lt;", "]]>", "<!--", "{{x}}", "\\n", "'",
]  # fmt: skip
LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/")
NAMES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text("abz_019", min_size=1, max_size=3),
    st.text(LETTERS, min_size=1, max_size=60),
).filter(lambda name: name == name.strip() and name not in ("", ".", "..", "ALL"))
TEXTS = st.text(max_size=80)


@st.composite
def templates(draw: st.DrawFn) -> TaskTemplate:
    """Return a valid template of any names, types and edges."""
    names = draw(st.lists(NAMES, min_size=1, max_size=12, unique=True))
    steps: list[dict[str, Any]] = []
    for n, name in enumerate(names):
        parents = draw(st.lists(st.sampled_from(names[:n]), max_size=3)) if n else []
        kind = draw(st.sampled_from(KINDS))
        steps.append({"name": name, "type": kind, "dependencies": parents})
    return template(*draw(st.permutations(steps)), name=draw(NAMES))


@st.composite
def tasks(draw: st.DrawFn) -> Any:
    """Return a task with any of its template's steps, in any states, and any instances."""
    found = draw(templates())
    rows = []
    for step in found.steps:
        batches: list[str | None] = draw(st.sampled_from([[], [None]]))
        if step.type == "batch_worker":
            ids = st.text("01_", min_size=1, max_size=3)
            batches = list(draw(st.lists(ids, unique=True, max_size=4)))
        for batch in batches:
            name = step.name if batch is None else f"{step.name}_{batch}"
            state = draw(st.sampled_from(StepState.values))
            errors = draw(st.one_of(st.none(), TEXTS))
            rows.append(
                step_row(name, state, step_type=step.type, batch_id=batch, error_type=errors)
            )
    return graph(found, rows, state=draw(st.sampled_from(TaskState.values)))


def check_mermaid(text: str, *, node_count: int, edge_count: int) -> None:
    lines = [line for line in text.split("\n")[1:] if line and "classDef" not in line]
    ids = [match[1] for line in lines if (match := re.match(r"    (\w+)[\[{]", line))]
    assert len(ids) == len(set(ids)) == node_count
    arrows = [line.split() for line in lines[node_count:]]
    assert len(arrows) == edge_count
    assert all(arrow[0] in ids and arrow[2] in ids for arrow in arrows)


@ROUNDS
@given(templates(), st.dictionaries(NAMES, TEXTS, max_size=3))
def test_any_template_can_be_shown(found: TaskTemplate, remarks: dict[str, str]) -> None:
    remarks |= {step.name: '\n<>#"' for step in found.steps[:1]}
    picture = template_picture(found, annotations=remarks)

    text = render_template(found, annotations=remarks, output_format="mermaid")

    edge_count = sum(len(step.dependencies) for step in found.steps)
    check_mermaid(text, node_count=len(found.steps), edge_count=edge_count)
    document = render_template(found, annotations=remarks)
    assert "\r" not in document
    assert document.endswith("|\n")
    assert document.count("\n| ") == len(found.steps) + 1
    check_drawing(render_svg(picture), [step.name for step in found.steps])
    told = json.loads(render_template(found, output_format="json"))
    assert len({node["id"] for node in told["graph"]["nodes"]}) == len(found.steps)


@ROUNDS
@given(tasks())
def test_any_task_can_be_shown(found: Any) -> None:
    picture = task_picture(found)

    text = render_task(found, output_format="mermaid")

    check_mermaid(text, node_count=len(picture.nodes), edge_count=len(picture.edges))
    document = render_task(found)
    assert "\r" not in document
    assert document.count("\n```") == 2
    check_drawing(render_svg(picture, link=str), [node.name for node in picture.nodes])


def check_drawing(svg: str, names: list[str]) -> None:
    root = parse(svg)
    shown = groups(root)
    assert sorted(shown) == sorted(set(names))
    areas = [area_of(group) for group in shown.values()]
    for n, area in enumerate(areas):
        assert not any(area.overlaps(other) for other in areas[:n])
