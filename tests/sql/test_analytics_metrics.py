"""get_analytics_metrics: a period in numbers (engine.md 5.7)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from orchestration.models import Task, WorkflowStep
from orchestration.testing import StepFactory, TaskFactory
from tests.sql.rows import ask, in_namespace

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def metrics(since, namespaces=None):
    (row,) = ask("SELECT * FROM get_analytics_metrics(%s, %s::text[])", since, namespaces)
    return row


def task(state, *, created, moved, **columns):
    """Insert a task that was created at one moment and came into its state at another."""
    made = TaskFactory.create(state=state, **columns)
    ended = moved if made.completed_at else None
    Task.objects.filter(pk=made.pk).update(
        created_at=created, state_entered_at=moved, completed_at=ended
    )
    return made


def step(of, *, began, ended, state="complete"):
    made = StepFactory.create(task=of, state=state)
    WorkflowStep.objects.filter(pk=made.pk).update(last_attempted_at=began, completed_at=ended)


def test_nothing_is_zero_and_healthy(clock):
    row = metrics(clock.now - HOUR)

    assert row["analysis_period_start"] == clock.now - HOUR
    assert row["calculated_at"] == clock.now
    assert row["system_health_score"] == 1
    counts = [
        value
        for name, value in row.items()
        if name
        not in {
            "analysis_period_start",
            "calculated_at",
            "system_health_score",
        }
    ]
    assert set(counts) == {0}
    assert len(row) == 14


def test_the_period_is_an_hour_unless_said_otherwise(clock):
    (row,) = ask("SELECT * FROM get_analytics_metrics()")

    assert row["analysis_period_start"] == clock.now - HOUR


def test_tasks_are_counted_by_what_became_of_them_in_the_period(clock):
    now, before = clock.now, clock.now - 2 * HOUR
    recently = now - HOUR / 2
    task("complete", created=before, moved=recently)
    task("complete", created=recently, moved=now)
    task("complete", created=before, moved=before)  # too long ago
    task("error", created=before, moved=recently)
    task("error", created=before, moved=before)
    task("blocked_by_failures", created=before, moved=recently)
    task("blocked_by_failures", created=before, moved=before)
    task("steps_in_process", created=recently, moved=recently)
    task("cancelled", created=recently, moved=recently)

    row = metrics(now - HOUR)

    assert row["active_tasks_count"] == 3
    assert row["task_throughput"] == 3
    assert (row["completion_count"], row["error_count"]) == (2, 2)
    assert (row["completion_rate"], row["error_rate"]) == (Decimal("50.00"), Decimal("50.00"))
    assert row["system_health_score"] == Decimal("0.500")


def test_rates_are_rounded_to_two_places_of_a_per_cent(clock):
    for state in ("complete", "complete", "error"):
        task(state, created=clock.now, moved=clock.now)

    row = metrics(clock.now - HOUR)

    assert (row["completion_rate"], row["error_rate"]) == (Decimal("66.67"), Decimal("33.33"))
    assert row["system_health_score"] == Decimal("0.667")


def test_durations_are_of_what_completed_in_the_period(clock):
    now = clock.now
    quick = task("complete", created=now - timedelta(seconds=10), moved=now)
    task("complete", created=now - timedelta(seconds=20), moved=now)
    task("error", created=now - timedelta(seconds=900), moved=now)
    step(quick, began=now - timedelta(seconds=2), ended=now)
    step(quick, began=now - timedelta(seconds=4), ended=now)
    step(quick, began=now - 3 * HOUR, ended=now - 2 * HOUR)
    step(quick, began=now - timedelta(seconds=99), ended=None, state="error")

    row = metrics(now - HOUR)

    assert (row["avg_task_duration"], row["avg_step_duration"]) == (15, 3)
    assert row["step_throughput"] == 2


def test_only_the_namespaces_that_are_asked_for_count(clock):
    now = clock.now
    here, there = in_namespace("here"), in_namespace("there")
    step(task("complete", created=now, moved=now, named_task=here), began=now, ended=now)
    step(task("error", created=now, moved=now, named_task=there), began=now, ended=now)

    everywhere, nowhere = metrics(now - HOUR), metrics(now - HOUR, [])
    inside = metrics(now - HOUR, ["here"])

    assert everywhere["total_namespaces_count"] >= 2
    assert (everywhere["unique_task_types_count"], everywhere["step_throughput"]) == (2, 2)
    assert (inside["total_namespaces_count"], inside["unique_task_types_count"]) == (1, 1)
    assert (inside["completion_count"], inside["error_count"]) == (1, 0)
    assert (inside["task_throughput"], inside["step_throughput"]) == (1, 1)
    assert (nowhere["total_namespaces_count"], nowhere["task_throughput"]) == (0, 0)
