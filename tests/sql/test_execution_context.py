"""get_task_execution_context: what the steps of a task add up to (engine.md 5.3, A15, A16)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from orchestration.testing import StepFactory, TaskFactory, dag, diamond, linear, tree
from tests.sql.rows import Built, ask, build, graph_of, value

pytestmark = pytest.mark.django_db

# A15: which steps are completed by hand, then (total, completed, ready).
ROUNDS = {
    "linear": (
        linear(4),
        [
            ([], (4, 0, 1)),
            (["step_1"], (4, 1, 1)),
            (["step_2"], (4, 2, 1)),
            (["step_3"], (4, 3, 1)),
            (["step_4"], (4, 4, 0)),
        ],
    ),
    "diamond": (
        diamond(),
        [
            ([], (4, 0, 1)),
            (["start"], (4, 1, 2)),
            (["left"], (4, 2, 1)),
            (["right"], (4, 3, 1)),
            (["join"], (4, 4, 0)),
        ],
    ),
    "tree": (
        tree(3),
        [
            ([], (8, 0, 1)),
            (["node_1"], (8, 1, 2)),
            (["node_2", "node_3"], (8, 3, 4)),
            (["node_4", "node_5", "node_6", "node_7"], (8, 7, 1)),
            (["converge"], (8, 8, 0)),
        ],
    ),
    "dag": (
        dag(),
        [
            ([], (7, 0, 1)),
            (["init"], (7, 1, 2)),
            (["left", "right"], (7, 3, 3)),
            (["validate", "transform", "analyze"], (7, 6, 1)),
            (["finalize"], (7, 7, 0)),
        ],
    ),
}


def context(built: Built) -> dict[str, Any]:
    (row,) = ask("SELECT * FROM get_task_execution_context(%s)", built.uuid)
    return row


def counts(built: Built) -> tuple[int, int, int]:
    row = context(built)
    return row["total_steps"], row["completed_steps"], row["ready_steps"]


@pytest.mark.parametrize("name", ROUNDS)
def test_a15_contexts_while_steps_are_completed_by_hand(name):
    template, rounds = ROUNDS[name]
    built = build(graph_of(template))

    seen = []
    for done, _ in rounds:
        built.move("complete", *done)
        seen.append(counts(built))

    assert seen == [expected for _, expected in rounds]
    row = context(built)
    assert (row["status"], row["execution_status"]) == ("pending", "all_complete")
    assert row["recommended_action"] == "finalize_task"
    assert row["completion_percentage"] == Decimal("100.00")


def test_a16_a_failed_step_blocks_a_chain():
    built = build(graph_of(linear(4)), {"step_1": "complete", "step_2": "error"})

    row = context(built)

    assert counts(built) == (4, 1, 0)
    assert row["execution_status"] == "blocked_by_failures"
    assert row["recommended_action"] == "handle_failures"
    assert (row["failed_steps"], row["blocked_steps"], row["pending_steps"]) == (1, 1, 2)
    assert row["health_status"] == "blocked"
    unsatisfied = ask(
        "SELECT name FROM get_step_readiness_status(%s)"
        " WHERE NOT dependencies_satisfied AND current_state = 'pending' ORDER BY name",
        built.uuid,
    )
    assert [each["name"] for each in unsatisfied] == ["step_3", "step_4"]


def test_a16_a_branch_that_waits_for_its_retry_becomes_ready_when_due(clock):
    built = build(
        graph_of(diamond()),
        {"start": "complete", "left": "complete", "right": "waiting_for_retry"},
    )
    built.steps["right"].next_retry_at = clock.now + timedelta(seconds=5)
    built.steps["right"].save(update_fields=["next_retry_at"])

    before = context(built)
    assert counts(built) == (4, 2, 0)
    assert before["execution_status"] == "waiting_for_dependencies"
    assert before["recommended_action"] == "wait_for_dependencies"
    assert before["waiting_for_retry_steps"] == 1

    clock.advance(5)
    after = context(built)
    assert counts(built) == (4, 2, 1)
    assert after["execution_status"] == "has_ready_steps"
    assert after["waiting_for_retry_steps"] == 0


# What the steps are, then execution_status, recommended_action, health_status.
DECISIONS = [
    (["pending", "in_progress", "error"], "has_ready_steps", "execute_ready_steps", "recovering"),
    (["in_progress", "error"], "processing", "wait_for_completion", "recovering"),
    (["enqueued"], "processing", "wait_for_completion", "healthy"),
    (["enqueued_for_orchestration"], "processing", "wait_for_completion", "healthy"),
    (["enqueued_as_error_for_orchestration"], "processing", "wait_for_completion", "healthy"),
    (["not due", "error"], "waiting_for_dependencies", "wait_for_dependencies", "recovering"),
    (["not due", "complete"], "waiting_for_dependencies", "wait_for_dependencies", "healthy"),
    (["error", "complete"], "blocked_by_failures", "handle_failures", "blocked"),
    (["used up", "complete"], "blocked_by_failures", "handle_failures", "blocked"),
    (["used up retry"], "blocked_by_failures", "handle_failures", "blocked"),
    (["complete", "cancelled"], "all_complete", "finalize_task", "healthy"),
    (["complete", "resolved_manually"], "all_complete", "finalize_task", "healthy"),
    (["cancelled"], "waiting_for_dependencies", "wait_for_dependencies", "healthy"),
    ([], "waiting_for_dependencies", "wait_for_dependencies", "healthy"),
]


@pytest.mark.parametrize(("steps", "status", "action", "health"), DECISIONS)
def test_the_first_match_decides(clock, steps, status, action, health):
    special = {
        "not due": {
            "state": "waiting_for_retry",
            "next_retry_at": clock.now + timedelta(minutes=1),
        },
        "used up": {"state": "pending", "attempts": 3},
        "used up retry": {"state": "waiting_for_retry", "attempts": 3},
    }
    task = TaskFactory.create()
    for step in steps:
        StepFactory.create(task=task, **special.get(step, {"state": step}))

    row = context(Built(task, {}))

    assert (row["execution_status"], row["recommended_action"]) == (status, action)
    assert row["health_status"] == health


def test_a_due_retry_whose_parent_is_not_done_counts_as_waiting(clock):
    built = build({"a": [], "b": ["a"]}, {"a": "cancelled", "b": "waiting_for_retry"})

    assert context(built)["waiting_for_retry_steps"] == 1


def test_a_cancelled_task_is_never_all_complete():
    built = build({"a": []}, {"a": "complete"}, state="cancelled")

    row = context(built)
    assert row["status"] == "cancelled"
    assert row["execution_status"] == "waiting_for_dependencies"


def test_every_state_is_counted_once():
    states = [
        "pending",
        "enqueued",
        "in_progress",
        "enqueued_for_orchestration",
        "enqueued_as_error_for_orchestration",
        "waiting_for_retry",
        "complete",
        "error",
        "cancelled",
        "resolved_manually",
    ]
    built = build({state: [] for state in states}, {state: state for state in states})

    row = context(built)

    assert row["total_steps"] == 10
    assert (row["pending_steps"], row["in_progress_steps"], row["enqueued_steps"]) == (1, 1, 3)
    assert (row["completed_steps"], row["failed_steps"], row["cancelled_steps"]) == (2, 1, 1)
    assert (row["ready_steps"], row["waiting_for_retry_steps"], row["blocked_steps"]) == (2, 0, 1)
    assert row["completion_percentage"] == Decimal("20.00")
    assert row["named_task_uuid"] == built.task.named_task_id


@pytest.mark.parametrize(("done", "total", "percent"), [(0, 0, "0.00"), (1, 3, "33.33")])
def test_the_percentage_has_two_places(done, total, percent):
    names = [f"s{n}" for n in range(total)]
    built = build({name: [] for name in names}, dict.fromkeys(names[:done], "complete"))

    assert str(context(built)["completion_percentage"]) == percent


def test_an_unknown_task_has_no_row():
    assert ask("SELECT * FROM get_task_execution_context(%s)", uuid4()) == []


def test_the_batch_answers_each_task_once_in_uuid_order():
    built = [build({"a": []}), build({}), build({"a": [], "b": []})]
    uuids = [each.uuid for each in built]

    rows = ask(
        "SELECT * FROM get_task_execution_contexts_batch(%s)",
        [uuids[2], uuids[0], uuids[2], uuid4()],
    )

    assert [row["task_uuid"] for row in rows] == sorted([uuids[0], uuids[2]])
    assert [context(each)["total_steps"] for each in built] == [1, 0, 2]


def test_the_state_alone_is_null_for_an_unknown_task():
    built = build({}, state="complete")

    assert value("SELECT get_current_task_state(%s)", built.uuid) == "complete"
    assert value("SELECT get_current_task_state(%s)", uuid4()) is None
