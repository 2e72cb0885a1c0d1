"""get_step_readiness_status and its batch form: whether each step may run now, and why not."""

from datetime import timedelta
from typing import Any

import pytest

from orchestration.models import WorkflowStepEdge
from orchestration.testing import diamond, linear
from tests.sql.rows import Built, ask, build, graph_of, single

pytestmark = pytest.mark.django_db


def readiness(built: Built) -> dict[str, dict[str, Any]]:
    rows = ask("SELECT * FROM get_step_readiness_status(%s)", built.uuid)
    return {row["name"]: row for row in rows}


def ready(built: Built) -> list[str]:
    return sorted(name for name, row in readiness(built).items() if row["ready_for_execution"])


def test_roots_are_ready_and_others_wait_for_them():
    built = build(graph_of(diamond()))

    assert ready(built) == ["start"]
    assert readiness(built)["join"]["total_parents"] == 2


def test_a_child_is_ready_when_its_last_parent_is_done():
    built = build(graph_of(diamond()), {"start": "complete", "left": "complete"})
    before = readiness(built)["join"]

    built.move("resolved_manually", "right")

    after = readiness(built)["join"]
    assert (before["completed_parents"], before["dependencies_satisfied"]) == (1, False)
    assert (after["completed_parents"], after["dependencies_satisfied"]) == (2, True)
    assert ready(built) == ["join"]


@pytest.mark.parametrize(
    "state",
    [
        "pending",
        "enqueued",
        "in_progress",
        "enqueued_for_orchestration",
        "enqueued_as_error_for_orchestration",
        "waiting_for_retry",
        "error",
        "cancelled",
    ],
)
def test_no_other_state_of_a_parent_satisfies_its_children(state):
    built = build({"a": [], "b": ["a"]}, {"a": state})

    assert not readiness(built)["b"]["dependencies_satisfied"]


def test_two_edges_from_one_parent_count_once():
    built = build({"a": [], "b": ["a"]}, {"a": "complete"})
    WorkflowStepEdge.objects.create(
        from_step=built.steps["a"], to_step=built.steps["b"], name="batch_dependency"
    )

    row = readiness(built)["b"]
    assert (row["total_parents"], row["completed_parents"]) == (1, 1)
    assert row["ready_for_execution"]


@pytest.mark.parametrize(
    ("attempts", "retryable", "max_attempts", "is_eligible"),
    [
        (0, False, 0, True),
        (0, True, 3, True),
        (1, True, 1, False),
        (1, True, 0, False),
        (1, True, 2, True),
        (2, True, 2, False),
        (2, True, 3, True),
        (1, False, 3, False),
    ],
)
def test_retry_eligibility_is_the_table_of_engine_8_1(
    attempts, retryable, max_attempts, is_eligible
):
    built = single("pending", attempts=attempts, retryable=retryable, max_attempts=max_attempts)

    row = readiness(built)["only"]
    assert row["retry_eligible"] is is_eligible
    assert row["ready_for_execution"] is is_eligible


def test_a_step_that_waits_for_retry_is_ready_from_its_due_time_on(clock):
    due_at = clock.now + timedelta(seconds=10)
    built = single("waiting_for_retry", next_retry_at=due_at)

    clock.advance(9.999)
    assert ready(built) == []

    clock.advance(0.001)
    assert ready(built) == ["only"]
    assert readiness(built)["only"]["next_retry_at"] == due_at


def test_a_missing_due_time_is_worked_out_from_the_failure(clock):
    built = single(
        "waiting_for_retry",
        next_retry_at=None,
        last_failure_at=clock.now,
        backoff_request_seconds=20,
    )

    assert readiness(built)["only"]["next_retry_at"] == clock.now + timedelta(seconds=20)
    assert ready(built) == []
    clock.advance(20)
    assert ready(built) == ["only"]


def test_a_pending_step_has_no_due_time_although_it_failed_before(clock):
    built = single("pending", attempts=1, last_failure_at=clock.now, next_retry_at=None)

    assert readiness(built)["only"]["next_retry_at"] is None
    assert ready(built) == ["only"]


def test_a_step_in_error_is_never_ready():
    assert ready(single("error", attempts=0)) == []


def test_the_filter_selects_rows_but_not_the_parents_looked_up():
    built = build(graph_of(linear(3)), {"step_1": "complete"})

    (row,) = ask(
        "SELECT * FROM get_step_readiness_status(%s, ARRAY[%s::uuid])", built.uuid, built["step_2"]
    )

    assert row["name"] == "step_2"
    assert (row["total_parents"], row["completed_parents"]) == (1, 1)
    assert row["ready_for_execution"]


def test_the_batch_answers_for_all_tasks_in_order():
    first, second, other = build({"a": [], "b": ["a"]}), build({"c": []}), build({"d": []})

    rows = ask("SELECT * FROM get_step_readiness_status_batch(%s)", [second.uuid, first.uuid])

    assert [row["name"] for row in rows] != []
    assert {row["task_uuid"] for row in rows} == {first.uuid, second.uuid} - {other.uuid}
    assert rows == sorted(rows, key=lambda row: (row["task_uuid"], row["workflow_step_uuid"]))
    assert len(rows) == 3


def test_the_row_repeats_what_the_step_says(clock):
    built = single(
        "waiting_for_retry",
        attempts=2,
        max_attempts=5,
        last_failure_at=clock.now,
        last_attempted_at=clock.now - timedelta(seconds=3),
        backoff_request_seconds=1.5,
    )

    row = readiness(built)["only"]

    step = built.steps["only"]
    assert row["named_step_uuid"] == step.named_step_id
    assert row["current_state"] == "waiting_for_retry"
    assert (row["attempts"], row["max_attempts"]) == (2, 5)
    assert row["last_failure_at"] == clock.now
    assert row["last_attempted_at"] == clock.now - timedelta(seconds=3)
    assert row["backoff_request_seconds"] == 1.5
