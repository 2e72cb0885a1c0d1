"""/v1/dlq: entries, the queue of investigations, statistics, and what is on its way there."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from orchestration.lifecycle import staleness
from orchestration.messaging import pgmq
from orchestration.models import DlqEntry, Task
from orchestration.queries import dlq
from orchestration.testing import TaskFactory, TemplateFactory, linear
from tests.factories import ticks
from tests.sql.rows import in_namespace

pytestmark = pytest.mark.django_db

FIELDS = {
    "dlq_entry_uuid",
    "task_uuid",
    "original_state",
    "dlq_reason",
    "dlq_timestamp",
    "resolution_status",
    "resolution_timestamp",
    "resolution_notes",
    "resolved_by",
    "task_snapshot",
    "queue_name",
    "msg_id",
    "message",
    "metadata",
}
UNKNOWN = "01890000-0000-7000-8000-000000000000"


def entry(reason: str = "manual_dlq", **task):
    uuid = dlq.create_entry(TaskFactory.create(**task).pk, reason=reason, metadata={})
    assert uuid
    return DlqEntry.objects.get(pk=uuid)


def bury(queue: str, message: dict[str, Any]) -> DlqEntry:
    msg_id = pgmq.send(queue, message)
    assert pgmq.bury(queue, msg_id=msg_id, why="test")
    return DlqEntry.objects.get(queue_name=queue, msg_id=msg_id)


def listed(api, query: str = "") -> list[str]:
    answer = api.get(f"/v1/dlq{query}")
    assert answer.status_code == 200, answer.content
    return [row["dlq_entry_uuid"] for row in answer.json()]


# ------------------------------------------------------------ list


def test_the_list_shows_entries_newest_first_and_counts_them_all(api, clock):
    entries = []
    for _ in range(3):
        entries.append(str(entry().pk))
        clock.advance(1)

    answer = api.get("/v1/dlq?limit=2")

    assert [row["dlq_entry_uuid"] for row in answer.json()] == entries[:0:-1]
    assert answer.headers["X-Total-Count"] == "3"
    assert listed(api, "?limit=2&offset=2") == entries[:1]
    assert set(answer.json()[0]) == FIELDS


def test_an_entry_on_the_wire(api, clock):
    task = TaskFactory.create(state="blocked_by_failures", context={"card": "secret"})
    dlq.create_entry(task.pk, reason="max_retries_exceeded", metadata={"a": 1})

    (row,) = api.get("/v1/dlq").json()

    assert row["task_uuid"] == str(task.pk)
    assert (row["dlq_reason"], row["original_state"]) == (
        "max_retries_exceeded",
        "blocked_by_failures",
    )
    assert (row["resolution_status"], row["resolution_timestamp"]) == ("pending", None)
    assert row["metadata"] == {"a": 1}
    assert row["task_snapshot"]["name"] == "linear_1"
    assert row["dlq_timestamp"] == clock.now.isoformat(timespec="microseconds").replace(
        "+00:00", "Z"
    )
    assert "secret" not in str(row)


def test_the_list_is_narrowed_by_status_and_reason(api):
    pending, closed = entry("staleness_timeout"), entry("manual_dlq")
    DlqEntry.objects.filter(pk=closed.pk).update(resolution_status="manually_resolved")

    assert listed(api, "?resolution_status=pending") == [str(pending.pk)]
    assert listed(api, "?resolution_status=ManuallyResolved") == [str(closed.pk)]
    assert len(listed(api, "?resolution_status=pending,manually_resolved")) == 2
    assert listed(api, "?reason=staleness_timeout") == [str(pending.pk)]
    assert listed(api, "?reason=staleness_timeout&resolution_status=cancelled") == []


def test_an_entry_belongs_to_the_namespace_of_its_task_or_queue(api):
    TemplateFactory.create(template=linear(1))
    of_task = entry(named_task=in_namespace("other"))
    of_purged = entry(named_task=in_namespace("gone"))
    DlqEntry.objects.filter(pk=of_purged.pk).update(task=None)
    of_queue = bury("worker_test_queue", {"no": "ids"})
    of_engine = bury("orchestration_step_results", {"no": "ids"})

    assert listed(api, "?namespace=other") == [str(of_task.pk)]
    assert listed(api, "?namespace=gone") == [str(of_purged.pk)]
    assert listed(api, "?namespace=test") == [str(of_queue.pk)]
    assert listed(api, "?namespace=orchestration") == [str(of_engine.pk)]
    assert listed(api, "?namespace=nope") == []


@pytest.mark.parametrize("message", [{"no": "ids"}, [1, 2], "text", None])
def test_a_buried_message_is_shown_as_it_was(api, message):
    TemplateFactory.create(template=linear(1))
    buried = bury("worker_test_queue", {"no": "ids"})
    DlqEntry.objects.filter(pk=buried.pk).update(message=message)

    (row,) = api.get("/v1/dlq?reason=poison_message").json()

    assert (row["queue_name"], row["msg_id"]) == ("worker_test_queue", buried.msg_id)
    assert (row["message"], row["task_uuid"]) == (message, None)
    assert row["metadata"] == {"why": "test"}


# ------------------------------------------------------------ one task


def test_the_pending_entry_of_a_task_goes_before_newer_ones(api, clock):
    task = TaskFactory.create()
    pending = dlq.create_entry(task.pk, reason="manual_dlq", metadata={})
    assert pending
    clock.advance(5)
    newer = DlqEntry.objects.create(
        task=task, dlq_reason="poison_message", resolution_status="cancelled"
    )
    path = f"/v1/dlq/task/{task.pk}"

    assert api.get(path).json()["dlq_entry_uuid"] == str(pending)
    DlqEntry.objects.filter(pk=pending).update(resolution_status="cancelled")
    assert api.get(path).json()["dlq_entry_uuid"] == str(newer.pk)


def test_a_task_without_an_entry_is_not_found(api):
    assert api.get(f"/v1/dlq/task/{TaskFactory.create().pk}").status_code == 404
    assert api.get(f"/v1/dlq/task/{UNKNOWN}").status_code == 404


def test_an_entry_is_opened_by_hand_once(api):
    task = TaskFactory.create(state="blocked_by_failures")
    path = f"/v1/dlq/task/{task.pk}"

    opened = api.post(path, {"notes": "the supplier is down"})
    again = api.post(path, {})

    assert (opened.status_code, opened.headers["Location"]) == (201, path)
    assert opened.json()["dlq_reason"] == "manual_dlq"
    assert opened.json()["metadata"] == {"actor": "anonymous", "notes": "the supplier is down"}
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")
    assert DlqEntry.objects.count() == 1
    assert Task.objects.get().state == "blocked_by_failures"


def test_no_entry_is_opened_for_an_unknown_task(api):
    assert api.post(f"/v1/dlq/task/{UNKNOWN}", {}).status_code == 404


# ------------------------------------------------------------ change


def change(api, uuid, **body):
    return api.patch(f"/v1/dlq/entry/{uuid}", body)


@pytest.mark.parametrize("status", ["manually_resolved", "permanently_failed", "Cancelled"])
def test_an_entry_is_closed(api, clock, status):
    opened = entry("staleness_timeout", state="error")
    clock.advance(600)

    answer = change(
        api,
        opened.pk,
        resolution_status=status,
        resolution_notes="refunded",
        resolved_by="ann",
        metadata={"ticket": 7},
    )

    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "message": f"DLQ entry {opened.pk} was changed; it is {status.lower()}",
        "dlq_entry_uuid": str(opened.pk),
    }
    closed = DlqEntry.objects.get()
    assert (closed.resolution_status, closed.resolution_timestamp) == (status.lower(), clock.now)
    assert (closed.resolution_notes, closed.resolved_by) == ("refunded", "ann")
    assert (closed.metadata, closed.updated_at) == ({"ticket": 7}, clock.now)
    assert Task.objects.get().state == "error"
    assert api.get("/v1/dlq/investigation-queue").json() == []
    assert api.get("/v1/dlq/stats").json()[0]["avg_resolution_minutes"] == 10


def test_who_closes_an_entry_without_a_name_stands_as_its_resolver(api):
    opened = entry()

    change(api, opened.pk, resolution_status="cancelled")

    assert DlqEntry.objects.get().resolved_by == "anonymous"


def test_notes_leave_an_entry_open(api):
    opened = entry()

    change(api, opened.pk, resolution_notes="looking", metadata={"a": 1, "b": 1})
    change(api, opened.pk, metadata={"b": 2}, unknown="ignored")

    noted = DlqEntry.objects.get()
    assert (noted.resolution_status, noted.resolution_timestamp) == ("pending", None)
    assert (noted.resolution_notes, noted.resolved_by) == ("looking", None)
    assert noted.metadata == {"a": 1, "b": 2}


def test_closing_twice_keeps_the_time_and_notes_can_still_be_added(api, clock):
    opened = entry()
    change(api, opened.pk, resolution_status="cancelled")
    stamped = DlqEntry.objects.get().resolution_timestamp
    clock.advance(60)

    again = change(api, opened.pk, resolution_status="cancelled", resolution_notes="late")

    closed = DlqEntry.objects.get()
    assert again.status_code == 200
    assert (closed.resolution_timestamp, closed.resolution_notes) == (stamped, "late")


def test_a_closed_entry_is_not_reopened(api):
    opened = entry()
    change(api, opened.pk, resolution_status="cancelled")

    answer = change(api, opened.pk, resolution_status="pending", resolution_notes="again")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert "closed as cancelled" in answer.json()["error"]["message"]
    closed = DlqEntry.objects.get()
    assert (closed.resolution_status, closed.resolution_notes) == ("cancelled", None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ({"unknown": 1}, ""),
        ({"resolution_status": "done"}, "resolution_status"),
        ({"resolution_status": None}, "resolution_status"),
        ({"resolution_notes": "x" * 10_001}, "resolution_notes"),
        ({"resolved_by": ""}, "resolved_by"),
        ({"resolved_by": "x" * 256}, "resolved_by"),
        ({"metadata": "text"}, "metadata"),
        ({"metadata": {"a": "x" * 65_536}}, "metadata"),
    ],
)
def test_a_bad_change_is_refused(api, body, path):
    opened = entry()

    answer = change(api, opened.pk, **body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert [each["path"] for each in answer.json()["error"]["details"]] == [path]
    untouched = DlqEntry.objects.get()
    assert (untouched.resolution_status, untouched.metadata) == ("pending", {})
    assert (untouched.resolution_notes, untouched.resolved_by) == (None, None)


def test_metadata_does_not_grow_without_bounds(api):
    opened = entry()
    half = "x" * 40_000

    assert change(api, opened.pk, metadata={"a": half}).status_code == 200
    assert change(api, opened.pk, metadata={"b": half}).status_code == 400
    assert change(api, opened.pk, metadata={"a": "", "b": half}).status_code == 200


def test_an_unknown_entry_is_not_found(api):
    assert change(api, UNKNOWN, resolution_notes="x").status_code == 404


# ------------------------------------------------------------ stats, queue, staleness


def test_statistics_by_reason(api, clock):
    entry("staleness_timeout")
    clock.advance(60)
    entry("staleness_timeout")
    closed = entry("manual_dlq")
    change(api, closed.pk, resolution_status="permanently_failed")

    rows = api.get("/v1/dlq/stats").json()

    assert [row["dlq_reason"] for row in rows] == ["manual_dlq", "staleness_timeout"]
    assert rows[0]["permanently_failed"] == 1
    assert (rows[1]["total"], rows[1]["pending"]) == (2, 2)
    assert (rows[1]["oldest_entry"] < rows[1]["newest_entry"]) is True
    assert rows[1]["avg_resolution_minutes"] is None


def test_the_queue_holds_pending_entries_the_most_pressing_first(api, clock):
    light, heavy = entry("manual_dlq"), entry("dependency_cycle_detected")
    clock.advance(120)

    rows = api.get("/v1/dlq/investigation-queue").json()

    assert [row["dlq_entry_uuid"] for row in rows] == [str(heavy.pk), str(light.pk)]
    assert [(row["minutes_in_dlq"], row["priority_score"]) for row in rows] == [(2, 1002), (2, 12)]
    assert set(rows[0]) == FIELDS | {"minutes_in_dlq", "priority_score"}
    assert len(api.get("/v1/dlq/investigation-queue?limit=1").json()) == 1


def test_staleness_shows_the_nearest_to_its_limit_first(api, clock):
    states = {"waiting_for_retry": "stale", "steps_in_process": "warning", "pending": "healthy"}
    for state in states:
        TaskFactory.create(state=state, state_entered_at=clock.now)
    TaskFactory.create(state="complete", state_entered_at=clock.now)
    clock.advance(250)

    # The test profile: 2 minutes for retries, 5 in process.
    rows = api.get("/v1/dlq/staleness").json()

    assert {row["state"]: row["health"] for row in rows} == states
    assert [row["state"] for row in rows] == list(states)
    assert rows[0] == {
        "task_uuid": rows[0]["task_uuid"],
        "namespace": "test",
        "name": "linear_1",
        "state": "waiting_for_retry",
        "minutes_in_state": 4.17,
        "threshold_minutes": 2,
        "health": "stale",
    }
    assert len(api.get("/v1/dlq/staleness?limit=1").json()) == 1


def test_staleness_keeps_to_the_settings_as_the_detector_does(api, clock):
    task = TaskFactory.create(state="waiting_for_retry", state_entered_at=clock.now)
    Task.objects.update(created_at=clock.now - timedelta(hours=1))
    clock.advance(100)

    for given, health in (
        ({"stale_waiting_retry_minutes": 10}, "healthy"),
        ({"stale_waiting_retry_minutes": 2}, "warning"),
        ({"stale_waiting_retry_minutes": 1}, "stale"),
        ({"stale_waiting_retry_minutes": 10, "max_task_lifetime_hours": 1}, "stale"),
    ):
        with override_settings(TASKER=given):
            (row,) = api.get("/v1/dlq/staleness").json()
            found = staleness.look_for_stale_tasks(move=ticks.MOVE, dry_run=True)
        assert (row["task_uuid"], row["health"]) == (str(task.pk), health)
        assert len(found) == int(health == "stale")


# ------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/v1/dlq?reson=manual_dlq", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq?reason=nope", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq?resolution_status=open", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq?limit=0", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq?limit=501", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq?offset=-1", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq/stats?reason=manual_dlq", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq/staleness?limit=0", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq/staleness?health=stale", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq/investigation-queue?limit=x", 400, "BAD_REQUEST"),
        ("get", f"/v1/dlq/task/{UNKNOWN}?a=b", 400, "BAD_REQUEST"),
        ("get", "/v1/dlq/task/nope", 400, "INVALID_UUID"),
        ("post", "/v1/dlq/task/nope", 400, "INVALID_UUID"),
        ("post", f"/v1/dlq/task/{UNKNOWN}", 400, "JSON_ERROR"),
        ("patch", "/v1/dlq/entry/nope", 400, "INVALID_UUID"),
        ("patch", f"/v1/dlq/entry/{UNKNOWN}", 400, "JSON_ERROR"),
        ("delete", "/v1/dlq", 405, "METHOD_NOT_ALLOWED"),
        ("get", f"/v1/dlq/entry/{UNKNOWN}", 405, "METHOD_NOT_ALLOWED"),
        ("get", "/v1/dlq/nope", 404, "NOT_FOUND"),
    ],
)
def test_a_bad_call_is_refused(api, method, path, status, code):
    answer = getattr(api, method)(path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_notes_of_an_entry_have_a_limit(api):
    task = TaskFactory.create()

    assert api.post(f"/v1/dlq/task/{task.pk}", {"notes": "x" * 10_001}).status_code == 400
    assert not DlqEntry.objects.exists()


def test_entries_without_a_task_are_listed_too(api):
    bury("orchestration_task_requests", {"task_request": {"name": str(uuid4())}})

    (row,) = api.get("/v1/dlq").json()

    assert (row["task_uuid"], row["original_state"]) == (None, None)
    assert row["message"]["task_request"]
