"""get_next_ready_tasks: which tasks discovery starts, in which order, and what it skips."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from orchestration.models import Task
from orchestration.testing import StepFactory, TaskFactory
from tests.processes import database_url
from tests.sql.rows import ask, build, in_namespace, single, value

pytestmark = pytest.mark.django_db


def found(limit: int = 5, closed: list[str] | None = None) -> list[UUID]:
    rows = ask("SELECT * FROM get_next_ready_tasks(%s, %s)", limit, closed)
    return [row["task_uuid"] for row in rows]


def waiting(state: str = "waiting_for_retry", **columns: Any) -> Task:
    """A task whose first step was cancelled, so that the second is never ready."""
    return build({"a": [], "b": ["a"]}, {"a": "cancelled"}, state=state, **columns).task


def test_the_order_is_that_of_effective_priority(clock):
    """Ten points are worth 100 hours of age; equal ones go by age (M6)."""
    fresh_5 = TaskFactory.create(priority=5, created_at=clock.now)
    fresh_10 = TaskFactory.create(priority=10, created_at=clock.now)
    old_0 = TaskFactory.create(priority=0, created_at=clock.now - timedelta(hours=60))
    fresh_0 = TaskFactory.create(priority=0, created_at=clock.now)
    older_0 = TaskFactory.create(priority=0, created_at=clock.now - timedelta(hours=1))

    assert found() == [t.task_uuid for t in (fresh_10, old_0, fresh_5, older_0, fresh_0)]
    assert found(limit=2) == [fresh_10.task_uuid, old_0.task_uuid]


def test_the_row_tells_what_is_started(clock):
    task = build({"a": [], "b": []}, priority=3, created_at=clock.now - timedelta(hours=5)).task

    (row,) = ask("SELECT * FROM get_next_ready_tasks()")

    assert row == {
        "task_uuid": task.task_uuid,
        "task_name": "linear_1",
        "priority": 3,
        "namespace_name": "test",
        "ready_steps_count": 2,
        "computed_priority": Decimal("3.5"),
        "current_state": "pending",
    }
    assert ask("SELECT * FROM get_next_ready_task()") == [row]


def test_a_pending_task_without_steps_is_started_too():
    task = TaskFactory.create()

    assert found() == [task.task_uuid]


@pytest.mark.parametrize(
    "state",
    [
        "initializing",
        "enqueuing_steps",
        "steps_in_process",
        "evaluating_results",
        "blocked_by_failures",
        "complete",
        "error",
        "cancelled",
        "resolved_manually",
    ],
)
def test_no_other_state_is_found_although_a_step_is_ready(state):
    single("pending", task={"state": state})

    assert found() == []


def test_pending_tasks_of_closed_namespaces_are_left_out():
    template = in_namespace("crowded")
    held_back = TaskFactory.create(named_task=template, priority=50)
    let_in = TaskFactory.create()
    resumed = single(
        "pending", task={"named_task": template, "state": "waiting_for_dependencies"}
    ).task

    assert set(found(closed=["crowded"])) == {let_in.task_uuid, resumed.task_uuid}
    assert held_back.task_uuid in found(closed=["unknown"])
    assert held_back.task_uuid in found(closed=[])


@pytest.mark.parametrize("state", ["waiting_for_dependencies", "waiting_for_retry"])
def test_a_waiting_task_is_found_once_a_step_is_ready(state):
    built = build({"a": [], "b": ["a"]}, {"a": "error"}, state=state)
    before = found()

    built.move("complete", "a")

    assert before == []
    assert found() == [built.uuid]


@pytest.mark.parametrize("state", ["waiting_for_dependencies", "waiting_for_retry"])
def test_a_wait_of_months_excludes_nothing(clock, state):
    clock.set(clock.now - timedelta(days=200))
    built = build({"a": [], "b": ["a"]}, {"a": "error"}, state=state)
    clock.set(clock.now + timedelta(days=200))

    built.move("resolved_manually", "a")

    assert found() == [built.uuid]


def test_a_retry_is_found_from_its_due_time_on(clock):
    task = TaskFactory.create(state="waiting_for_retry", state_entered_at=clock.now)
    StepFactory.create(
        task=task,
        state="waiting_for_retry",
        state_entered_at=clock.now - timedelta(seconds=1),
        next_retry_at=clock.now + timedelta(seconds=30),
    )

    clock.advance(29)
    assert found() == []
    clock.advance(1)
    assert found() == [task.task_uuid]


def test_a_retry_whose_attempts_are_used_up_is_not_found(clock):
    task = TaskFactory.create(state="waiting_for_retry")
    StepFactory.create(task=task, state="waiting_for_retry", attempts=3, next_retry_at=clock.now)

    assert found() == []


def test_a_thousand_old_waiting_tasks_hide_no_fresh_one(clock):
    """M5."""
    entered = clock.now - timedelta(hours=100)
    template = waiting().named_task
    Task.objects.bulk_create(
        Task(
            named_task=template,
            template_revision=template.revisions.get(),
            state="waiting_for_dependencies" if number % 2 else "waiting_for_retry",
            state_entered_at=entered,
            created_at=entered,
            identity_hash=str(number),
            request_hash="",
        )
        for number in range(1000)
    )
    fresh = single("pending", task={"named_task": template}).uuid

    assert found(limit=1) == [fresh]


def test_counts_are_those_of_ready_steps_only():
    build({"a": [], "b": [], "c": ["a"]}, {"b": "complete"})

    assert value("SELECT ready_steps_count FROM get_next_ready_tasks()") == 1


@pytest.fixture
def other() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url()) as connection:
        yield connection
        connection.rollback()


@pytest.mark.django_db(transaction=True)
def test_tasks_that_somebody_else_holds_are_skipped_and_replaced(other):
    first, second, third = (TaskFactory.create(priority=p).task_uuid for p in (30, 20, 10))

    held = other.execute("SELECT task_uuid FROM get_next_ready_tasks(1)").fetchall()

    assert held == [(first,)]
    assert found(limit=2) == [second, third]
    other.commit()
    assert found(limit=2) == [first, second]


@pytest.mark.django_db(transaction=True)
def test_the_locks_let_the_foreign_key_check_of_a_worker_pass(other):
    """A worker that writes an audit row takes KEY SHARE on the task."""
    task = TaskFactory.create().task_uuid
    other.execute("SELECT task_uuid FROM get_next_ready_tasks(1)")

    row = value(
        "SELECT task_uuid FROM tasker_tasks WHERE task_uuid = %s FOR KEY SHARE NOWAIT", task
    )

    assert row == task


@pytest.mark.parametrize("state", ["complete", "steps_in_process", "pending"])
def test_ready_info_answers_in_any_state(state):
    built = build({"a": []}, state=state)

    (row,) = ask("SELECT * FROM get_task_ready_info(%s)", built.uuid)

    assert (row["current_state"], row["ready_steps_count"]) == (state, 1)
    assert row["task_name"] == "linear_1"
