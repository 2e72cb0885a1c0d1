"""The views about steps and tasks."""

from decimal import Decimal

import pytest

from orchestration.models import WorkflowStepEdge
from orchestration.testing import TaskFactory, dag
from tests.sql.rows import ask, build, graph_of

pytestmark = pytest.mark.django_db


def relationships(built):
    rows = ask(
        "SELECT r.*, s.name FROM tasker_step_dag_relationships AS r"
        " JOIN tasker_workflow_steps AS s USING (workflow_step_uuid) WHERE r.task_uuid = %s",
        built.uuid,
    )
    return {row["name"]: row for row in rows}


def test_parents_children_and_depth_of_every_step():
    built = build(graph_of(dag()))

    rows = relationships(built)

    assert {name: row["min_depth_from_root"] for name, row in rows.items()} == {
        "init": 0,
        "left": 1,
        "right": 1,
        "validate": 2,
        "transform": 2,
        "analyze": 2,
        "finalize": 3,
    }
    assert (rows["init"]["is_root_step"], rows["init"]["is_leaf_step"]) == (True, False)
    assert (rows["finalize"]["is_root_step"], rows["finalize"]["is_leaf_step"]) == (False, True)
    assert (rows["left"]["parent_count"], rows["left"]["child_count"]) == (1, 2)
    (in_order,) = ask(
        "SELECT parent_step_uuids = to_jsonb(%s::uuid[]) AS so FROM tasker_step_dag_relationships"
        " WHERE workflow_step_uuid = %s",
        sorted(built[name] for name in ("validate", "transform", "analyze")),
        built["finalize"],
    )
    assert in_order["so"]


def test_the_depth_is_the_shortest_distance():
    built = build({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]})

    assert relationships(built)["d"]["min_depth_from_root"] == 1


def test_a_cycle_below_a_root_ends_and_one_without_a_root_has_no_depth():
    built = build({"a": [], "b": ["a"], "c": ["b"], "x": [], "y": ["x"]})
    for start, end in (("c", "b"), ("y", "x")):
        WorkflowStepEdge.objects.create(from_step=built.steps[start], to_step=built.steps[end])

    depths = {name: row["min_depth_from_root"] for name, row in relationships(built).items()}

    assert depths == {"a": 0, "b": 1, "c": 2, "x": None, "y": None}


def test_two_edges_between_two_steps_count_once():
    built = build({"a": [], "b": ["a"]})
    WorkflowStepEdge.objects.create(
        from_step=built.steps["a"], to_step=built.steps["b"], name="batch_dependency"
    )

    assert relationships(built)["b"]["parent_count"] == 1
    assert relationships(built)["a"]["child_count"] == 1


def test_state_analysis_counts_unfinished_tasks_by_state(clock):
    for seconds, state in ((0, "pending"), (120, "pending"), (0, "complete")):
        TaskFactory.create(state=state, state_entered_at=clock.now)
        clock.advance(seconds)

    assert ask("SELECT * FROM tasker_task_state_analysis") == [
        {
            "state": "pending",
            "task_count": 2,
            "avg_minutes_in_state": Decimal(2),
            "max_minutes_in_state": Decimal(2),
        }
    ]


@pytest.mark.parametrize(
    ("seconds", "health"),
    [(60, "healthy"), (95, "healthy"), (96, "warning"), (119, "warning"), (120, "stale")],
)
def test_staleness_is_measured_against_the_template(clock, seconds, health):
    task = TaskFactory.create(state="waiting_for_retry", state_entered_at=clock.now)
    revision = task.template_revision
    revision.configuration["lifecycle"] = {"max_waiting_for_retry_minutes": 2}
    revision.save()
    clock.advance(seconds)

    (row,) = ask("SELECT * FROM tasker_task_staleness_monitoring")

    assert (row["health"], row["threshold_minutes"]) == (health, 2)
    assert (row["task_uuid"], row["namespace"], row["name"]) == (task.pk, "test", "linear_1")
    assert row["minutes_in_state"] == round(Decimal(seconds) / 60, 2)
