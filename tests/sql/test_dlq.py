"""calculate_staleness_threshold, create_dlq_entry and the two views of the DLQ."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from orchestration.models import DlqEntry, WorkflowStep
from orchestration.testing import TaskFactory
from tests.sql.rows import ask, build, run, value

pytestmark = pytest.mark.django_db

OWN = (
    '{"lifecycle": {"max_waiting_for_dependencies_minutes": 7,'
    ' "max_waiting_for_retry_minutes": 8, "max_steps_in_process_minutes": 9}}'
)


@pytest.mark.parametrize(
    ("state", "configuration", "expected"),
    [
        ("waiting_for_dependencies", "{}", 60),
        ("waiting_for_retry", "{}", 30),
        ("steps_in_process", "{}", 30),
        ("waiting_for_dependencies", OWN, 7),
        ("waiting_for_retry", OWN, 8),
        ("steps_in_process", OWN, 9),
        ("steps_in_process", '{"lifecycle": {}}', 30),
        ("steps_in_process", '{"lifecycle": null}', 30),
        ("pending", OWN, 1440),
        ("blocked_by_failures", "{}", 1440),
    ],
)
def test_the_template_decides_before_the_default(state, configuration, expected):
    assert (
        value("SELECT calculate_staleness_threshold(%s, %s::jsonb)", state, configuration)
        == expected
    )


def test_the_defaults_are_arguments():
    assert [
        value("SELECT calculate_staleness_threshold(%s, '{}', 1, 2, 3)", state)
        for state in ("waiting_for_dependencies", "waiting_for_retry", "steps_in_process")
    ] == [1, 2, 3]


def create_entry(task_uuid, reason="manual_dlq", metadata="{}"):
    return value("SELECT create_dlq_entry(%s, %s, %s::jsonb)", task_uuid, reason, metadata)


def test_an_entry_shows_the_task_as_found_without_context_and_results(clock):
    built = build(
        {"a": [], "b": ["a"]},
        {"a": "error"},
        state="blocked_by_failures",
        priority=4,
        context={"card": "secret"},
    )
    WorkflowStep.objects.filter(pk=built["a"]).update(
        results={"error": {"error_type": "declined", "message": "secret"}}
    )

    entry = DlqEntry.objects.get(pk=create_entry(built.uuid, metadata='{"by": "ann"}'))

    assert (entry.dlq_reason, entry.original_state) == ("manual_dlq", "blocked_by_failures")
    assert entry.dlq_timestamp == clock.now
    assert entry.metadata == {"by": "ann"}
    assert entry.resolution_status == "pending"
    snapshot = entry.task_snapshot
    assert snapshot["steps"] == [
        {"name": "a", "state": "error", "attempts": 1, "error_type": "declined"},
        {"name": "b", "state": "pending", "attempts": 0, "error_type": None},
    ]
    assert (snapshot["namespace"], snapshot["name"], snapshot["priority"]) == (
        "test",
        "linear_1",
        4,
    )
    assert (snapshot["counts"]["total"], snapshot["counts"]["blocked"]) == (2, 1)
    assert [hop["event"] for hop in snapshot["transitions"]] == ["created"]
    assert "secret" not in str(snapshot)


def test_the_snapshot_keeps_the_last_twenty_moves_in_order():
    task = TaskFactory.create()
    for _ in range(12):
        for source, target in (("pending", "error"), ("error", "pending")):
            value("SELECT transition_task_state_atomic(%s, %s, %s, NULL)", task.pk, source, target)

    create_entry(task.pk)

    hops = DlqEntry.objects.get(task=task).task_snapshot["transitions"]
    assert [hop["sort_key"] for hop in hops] == list(range(6, 26))


def test_one_entry_is_open_at_a_time():
    task = TaskFactory.create()

    first, second = create_entry(task.pk), create_entry(task.pk)
    DlqEntry.objects.filter(pk=first).update(resolution_status="cancelled")
    third = create_entry(task.pk)

    assert second is None
    assert third not in (None, first)


def test_an_unknown_task_has_no_entry():
    assert create_entry(uuid4()) is None


def test_an_unknown_reason_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        create_entry(TaskFactory.create().pk, "no such reason")


def test_the_queue_puts_the_heaviest_reason_first_and_adds_a_point_a_minute(clock):
    weights = {
        "dependency_cycle_detected": 1000,
        "max_retries_exceeded": 500,
        "poison_message": 500,
        "staleness_timeout": 100,
        "worker_unavailable": 50,
        "manual_dlq": 10,
    }
    for reason in weights:
        create_entry(TaskFactory.create().pk, reason)
    clock.advance(90)

    rows = ask("SELECT * FROM tasker_dlq_investigation_queue")

    assert {row["dlq_reason"]: row["priority_score"] for row in rows} == {
        reason: Decimal(weight) + Decimal("1.5") for reason, weight in weights.items()
    }
    scores = [row["priority_score"] for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_a_closed_entry_leaves_the_queue_and_counts_on_the_dashboard(clock):
    closed, _ = (create_entry(TaskFactory.create().pk, "staleness_timeout") for _ in "12")
    clock.advance(600)
    DlqEntry.objects.filter(pk=closed).update(
        resolution_status="manually_resolved", resolution_timestamp=clock.now
    )

    queue = ask("SELECT dlq_entry_uuid FROM tasker_dlq_investigation_queue")
    (row,) = ask("SELECT * FROM tasker_dlq_dashboard")

    assert [each["dlq_entry_uuid"] for each in queue] != [closed]
    assert len(queue) == 1
    assert (row["total"], row["pending"], row["manually_resolved"]) == (2, 1, 1)
    assert row["avg_resolution_minutes"] == Decimal(10)
    assert row["oldest_entry"] == row["newest_entry"] == clock.now - timedelta(seconds=600)


def test_an_entry_outlives_its_task():
    task = TaskFactory.create()
    entry = create_entry(task.pk)

    run("SET CONSTRAINTS ALL IMMEDIATE")
    task.delete()

    assert DlqEntry.objects.get(pk=entry).task_id is None
