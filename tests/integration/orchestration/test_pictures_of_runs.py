"""Pictures of tasks that the engine has run: branches not taken, instances of batches."""

from pathlib import Path

import pytest

from orchestration.pictures import render_svg, render_task, task_picture
from orchestration.queries.task_graph import TaskGraph, find_task_graph
from tests.factories.drawings import groups, parse
from workers.testing import run_inline

pytestmark = pytest.mark.django_db


def graph_of(run) -> TaskGraph:
    found = find_task_graph(run.task_uuid)
    assert found is not None
    return found


def test_a_decision_leaves_untraversed_branches() -> None:
    request = {"amount": 900, "requester": "ada", "purpose": "a desk"}

    graph = graph_of(run_inline("approvals/purchase_request", request))

    mermaid = render_task(graph, output_format="mermaid")
    assert '    manager_review["manager_review"]:::completed\n' in mermaid
    assert '    auto_approve["auto_approve\\n(untraversed)"]:::untraversed\n' in mermaid
    assert '    record_decision[/"record_decision"/]:::completed\n' in mermaid
    assert "    route_request --> manager_review\n" in mermaid
    assert "    route_request -.-> auto_approve\n" in mermaid
    assert "    auto_approve -.-> record_decision\n" in mermaid
    assert "**Status**: complete | **Completion**: 100% | **Health**: healthy |" in render_task(
        graph
    )


def test_a_batch_shows_its_instances(tmp_path: Path) -> None:
    rows = "".join(f"s{n},1.00,2\n" for n in range(450))
    file = tmp_path / "stock.csv"
    file.write_text(f"sku,price,stock\n{rows}", encoding="utf-8")

    graph = graph_of(run_inline("inventory_import/csv_import", {"path": str(file)}))

    instances = sorted(step.name for step in graph.steps if step.step_type == "batch_worker")
    assert len(instances) == 3
    edges = [line.strip() for line in render_task(graph).splitlines() if "-->" in line]
    assert edges == sorted(
        [f"analyze_file --> {name}" for name in instances]
        + [f"{name} --> summarise" for name in instances]
    )
    assert list(groups(parse(render_svg(task_picture(graph))))) == [
        "analyze_file",
        *instances,
        "summarise",
    ]
