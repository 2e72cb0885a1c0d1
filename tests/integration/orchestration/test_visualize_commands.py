"""`visualize_template`, `visualize_task`, `visualize_states`: what they print and how they exit."""

import io
import json
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from orchestration.fsm import graph
from orchestration.models import Task, WorkflowStep
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, diamond, linear

TEMPLATE = """
name: buy
namespace: shop
version: 1.0.0
steps: [{name: a, handler: x}, {name: b, handler: y, dependencies: [a]}]
"""
GRAPH = "# buy\n\n```mermaid\ngraph TD\n    a[a]\n    b[b]\n\n    a --> b\n```\n"


def run(command, *arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command(command, *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "buy.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


def test_a_file_is_shown_without_a_database(file):
    assert run("visualize_template", str(file), "--graph-only") == (0, GRAPH, "")
    code, text, _ = run("visualize_template", str(file))
    assert code == 0
    assert text.startswith(GRAPH + "\n## Step Details\n\n| Step |")
    assert text.endswith("| b | Standard | y | a | — | — |\n")


def test_standard_input_is_a_template_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TEMPLATE.encode())))

    assert run("visualize_template", "-", "--graph-only") == (0, GRAPH, "")


@pytest.mark.django_db
def test_a_registered_template_is_shown_by_its_name():
    TemplateFactory.create(template=linear(1, name="old"))
    TemplateFactory.create(template=linear(2, name="old", version="2.0.0"))

    latest = run("visualize_template", "test/old", "-f", "mermaid")
    first = run("visualize_template", "test/old:1.0.0", "-f", "mermaid")

    assert latest == (
        0,
        "graph TD\n    step_1[step_1]\n    step_2[step_2]\n\n    step_1 --> step_2\n",
        "",
    )
    assert first == (0, "graph TD\n    step_1[step_1]\n", "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("shop/absent", 1, "'shop/absent' is not registered; run sync_templates"),
        ("shop/absent:1", 1, "'shop/absent@1' is not registered"),
        ("absent.yaml", 1, "cannot be read"),
        ("absent", 2, "neither a file nor NAMESPACE/NAME"),
        ("a/b/c", 2, "neither a file nor NAMESPACE/NAME"),
    ],
)
def test_a_template_that_is_not_there_is_refused(name, code, said):
    found = run("visualize_template", name)

    assert found[:2] == (code, "")
    assert said in found[2]


def test_a_template_with_errors_is_not_drawn(file):
    file.write_text(TEMPLATE.replace("[a]", "[b]"), encoding="utf-8")

    code, text, said = run("visualize_template", str(file))

    assert (code, text) == (1, "")
    assert "SELF_DEPENDENCY steps[1].dependencies[0]" in said


def test_annotations_are_drawn_and_unknown_ones_told(file, tmp_path):
    remarks = tmp_path / "remarks.yaml"
    remarks.write_text("{b: Slow, x: Nothing}", encoding="utf-8")

    code, text, said = run("visualize_template", str(file), "--annotations", str(remarks))

    assert code == 0
    assert r'    b["b\n⚠ Slow"]:::annotated' in text
    assert said == "Annotation references unknown step: 'x'\n"


@pytest.mark.parametrize("remarks", ["[a]", "{a: 1}", "", "a: [", "{a: x, a: y}", "a: &b x", None])
def test_annotations_that_are_no_texts_are_refused(file, tmp_path, remarks):
    path = tmp_path / "remarks.yaml"
    if remarks is not None:
        path.write_text(remarks, encoding="utf-8")

    code, text, said = run("visualize_template", str(file), "--annotations", str(path))

    assert (code, text) == (2, "")
    assert f"Cannot read annotations from {path}" in said


def test_the_answer_goes_to_a_file(file, tmp_path):
    target = tmp_path / "buy.md"

    assert run("visualize_template", str(file), "--graph-only", "-o", str(target)) == (0, "", "")
    assert target.read_bytes() == GRAPH.encode()
    code, _, said = run("visualize_template", str(file), "-o", str(tmp_path / "absent" / "x.md"))
    assert code == 2
    assert "Cannot write to" in said


@pytest.mark.django_db
def test_a_task_is_shown_in_every_form(tmp_path):
    named_task = TemplateFactory.create(template=diamond())
    task = TaskFactory.create(named_task=named_task, state="steps_in_process")
    start = StepFactory.create(task=task, name="start", state="complete")
    for name in ("left", "right", "join"):
        StepFactory.create(task=task, name=name, parents=[start])

    code, text, _ = run("visualize_task", str(task.pk), "--base-url", "http://tasker.test/")

    assert code == 0
    assert text.startswith("# diamond\n\n```mermaid\ngraph TD\n    classDef completed")
    assert '    start["start"]:::completed\n    left["left"]:::pending\n' in text
    assert "**Status**: steps_in_process | **Completion**: 25% | **Health**: healthy |" in text
    assert f"[Task Detail](http://tasker.test/v1/tasks/{task.pk})\n" in text
    assert f"http://tasker.test/v1/tasks/{task.pk}/workflow_steps/{start.pk}" in text
    graph_only = run("visualize_task", str(task.pk), "--graph-only")[1]
    assert graph_only.endswith("    start --> right\n```\n")
    mermaid = run("visualize_task", str(task.pk), "-f", "mermaid")[1]
    assert graph_only == f"# diamond\n\n```mermaid\n{mermaid}```\n"
    told = json.loads(run("visualize_task", str(task.pk), "-f", "json")[1])
    assert len(told["graph"]["nodes"]) == len(told["table"]["rows"]) == 4
    target = Path(tmp_path) / "task.mmd"
    run("visualize_task", str(task.pk), "-f", "mermaid", "-o", str(target))
    assert target.read_text("utf-8") == mermaid


@pytest.mark.django_db
def test_an_unknown_task_is_refused():
    unknown = str(uuid4())

    assert run("visualize_task", unknown) == (
        1,
        "",
        f"Cannot show task {unknown}: there is no such task.",
    )


def test_the_state_machines_are_those_of_the_models():
    code, text, _ = run("visualize_states")

    assert code == 0
    for model in (Task, WorkflowStep):
        for source, target, event in graph(model):
            assert any(
                line.startswith(f"    {source} --> {target}: ")
                and event in line.partition(": ")[2].split(", ")
                for line in text.splitlines()
            )
    arrows = [line for line in text.splitlines() if "-->" in line and ":" in line]
    pairs = {(model, *move[:2]) for model in (Task, WorkflowStep) for move in graph(model)}
    assert len(arrows) == len(pairs)
    assert text.count("    [*] --> pending\n") == 2
