"""get_system_health_counts: one row about all tasks and steps."""

from datetime import timedelta

import pytest

from orchestration.states import StepState, TaskState
from orchestration.testing import StepFactory, TaskFactory
from tests.sql.rows import ask, value

pytestmark = pytest.mark.django_db


def counts():
    (row,) = ask("SELECT * FROM get_system_health_counts()")
    return row


def test_an_empty_system_counts_nothing_but_connections():
    row = counts()

    assert row.pop("active_connections") >= 1
    assert row.pop("max_connections") == int(value("SHOW max_connections"))
    assert set(row.values()) == {0}
    assert len(row) == 12 + 1 + 10 + 1 + 2


def test_every_state_has_its_own_column():
    for number, state in enumerate(TaskState.values, 1):
        TaskFactory.create_batch(number, state=state)
    task = TaskFactory.create(state="pending")
    for number, state in enumerate(StepState.values, 1):
        StepFactory.create_batch(number, task=task, state=state, attempts=0)

    row = counts()

    expected = dict(enumerate(TaskState.values, 1))
    assert {row[f"{state}_tasks"] - (state == "pending") for state in expected.values()} == set(
        expected
    )
    assert row["total_tasks"] == sum(expected) + 1
    assert [row[f"{state}_steps"] for state in StepState.values] == list(range(1, 11))
    assert row["total_steps"] == 55


def test_back_off_and_used_up_attempts_are_counted(clock):
    for seconds in (-1, 1, 2):
        StepFactory.create(
            state="waiting_for_retry", next_retry_at=clock.now + timedelta(seconds=seconds)
        )
    for attempts in (2, 3, 4):
        StepFactory.create(state="error", attempts=attempts, max_attempts=3)

    row = counts()

    assert (row["in_backoff_steps"], row["exhausted_retry_steps"]) == (2, 2)
