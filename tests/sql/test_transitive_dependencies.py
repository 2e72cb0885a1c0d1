"""get_step_transitive_dependencies: every ancestor once, nearest first."""

import pytest

from orchestration.models import WorkflowStep, WorkflowStepEdge
from tests.sql.rows import Built, ask, build

pytestmark = pytest.mark.django_db


def ancestors(built: Built, name: str) -> list[tuple[str, int]]:
    rows = ask("SELECT * FROM get_step_transitive_dependencies(%s)", built[name])
    return [(row["step_name"], row["distance"]) for row in rows]


def test_a_root_has_none():
    assert ancestors(build({"a": [], "b": ["a"]}), "a") == []


def test_an_ancestor_by_two_roads_appears_once_with_the_smaller_distance():
    built = build({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]})

    assert sorted(ancestors(built, "d")) == [("a", 1), ("b", 2), ("c", 1)]


def test_rows_are_ordered_by_distance_then_uuid():
    built = build({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})

    rows = ask("SELECT * FROM get_step_transitive_dependencies(%s)", built["d"])

    assert rows == sorted(rows, key=lambda row: (row["distance"], row["workflow_step_uuid"]))
    assert {row["task_uuid"] for row in rows} == {built.uuid}


def test_siblings_and_descendants_are_no_ancestors():
    built = build({"a": [], "b": ["a"], "sibling": ["a"], "child": ["b"]})

    assert ancestors(built, "b") == [("a", 1)]


@pytest.mark.parametrize(
    ("state", "is_processed"),
    [("complete", True), ("resolved_manually", True), ("error", False), ("pending", False)],
)
def test_processed_means_that_the_step_satisfies_its_children(state, is_processed):
    built = build({"a": [], "b": ["a"]}, {"a": state})
    WorkflowStep.objects.filter(name="a").update(results={"result": {"n": 1}})

    (row,) = ask(
        "SELECT processed, results ->> 'result' AS result, named_step_uuid"
        " FROM get_step_transitive_dependencies(%s)",
        built["b"],
    )

    assert row["processed"] is is_processed
    assert row["result"] == '{"n": 1}'
    assert row["named_step_uuid"] == built.steps["a"].named_step_id


def test_depth_has_no_limit():
    built = build({f"s{n}": [f"s{n - 1}"] if n else [] for n in range(120)})

    assert ancestors(built, "s119")[-1] == ("s0", 119)
    assert len(ancestors(built, "s119")) == 119


def test_a_cycle_ends_the_search():
    built = build({"a": [], "b": ["a"], "c": ["b"]})
    WorkflowStepEdge.objects.create(from_step=built.steps["c"], to_step=built.steps["a"])

    assert ancestors(built, "c") == [("b", 1), ("a", 2)]
