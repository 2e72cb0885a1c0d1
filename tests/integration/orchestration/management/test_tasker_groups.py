"""The groups `dlq`, `worker`, `queue` and `system` of `manage.py tasker`."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orchestration.access.principals import principal_of_command_line
from orchestration.models import DlqEntry, TaskerProcess, TaskTransition
from orchestration.queries.queue_table import peek
from orchestration.testing import TaskFactory, linear
from tests.command_line import tasker
from tests.factories import ticks

pytestmark = pytest.mark.django_db
QUEUE = "worker_test_queue"


def process(**given):
    columns = {
        "worker_uuid": uuid4(),
        "kind": "worker",
        "name": "w-1",
        "hostname": "h",
        "pid": 7,
        "version": "1",
        "environment": "test",
        "namespaces": ["test"],
        "deployment_mode": "Hybrid",
        "report": {"circuit_breaker_state": {"messaging": "closed"}, "worker_id": "w-1"},
    }
    return TaskerProcess.objects.create(**columns | given)


# ---------------------------------------------------------------- dlq


def test_an_investigation_is_opened_annotated_and_closed():
    task = ticks.blocked().task_uuid

    opened = tasker("dlq", "add", task, "--notes=look here")
    entry = opened.body["dlq_entry_uuid"]
    assert opened.body["metadata"] == {
        "actor": principal_of_command_line().name,
        "notes": "look here",
    }
    assert tasker("dlq", "add", task).code == 4  # it has a pending one
    assert tasker("dlq", "get", task).body == tasker("dlq", "get", entry).body
    assert tasker("dlq", "queue").body[0]["dlq_entry_uuid"] == entry
    assert tasker("dlq", "list", "-s", "pending", "-n", "test").body[0]["task_uuid"] == str(task)

    closed = tasker(
        "dlq", "update", entry, "-s", "manually_resolved", "--notes=done", "--metadata", '{"t": 1}'
    )
    assert closed.body["resolved_by"] == principal_of_command_line().name
    assert closed.body["metadata"]["t"] == 1
    assert tasker("dlq", "stats").body[0]["manually_resolved"] == 1
    assert tasker("dlq", "list", "--reason=poison_message", "-l", "5").body == []
    assert "Nothing waits" in tasker("dlq", "queue").err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["get", str(uuid4())], 3),
        (["add", str(uuid4())], 3),
        (["update", str(uuid4()), "--notes=x"], 3),
        (["update", str(uuid4())], 2),  # nothing to change
        (["update", str(uuid4()), "--by="], 2),
        (["list", "--status=odd"], 2),
    ],
)
def test_a_bad_order_to_the_dlq_has_its_exit_code(arguments, code):
    assert tasker("dlq", *arguments).code == code


def test_stale_tasks_are_shown_and_settled_only_when_told(clock):
    TaskFactory.create(state="waiting_for_retry", state_entered_at=clock.now)
    clock.advance(3600)

    looked = tasker("dlq", "detect")
    assert looked.body[0]["action_taken"] == "would_transition_to_dlq_and_error"
    assert not DlqEntry.objects.exists()

    acted = tasker("dlq", "detect", "--apply", "--batch=5")
    assert acted.body[0]["action_taken"] == "transitioned_to_dlq_and_error"
    me = principal_of_command_line().name
    assert TaskTransition.objects.filter(actor=me, event="timeout").exists()


# ---------------------------------------------------------------- workers


def test_processes_are_listed_and_a_silent_one_fails_the_check():
    process()
    process(kind="orchestrator", name="o-1", namespaces=[])
    process(name="gone", status="stopped")
    assert [each["name"] for each in tasker("worker", "list").body] == ["o-1", "w-1"]
    assert [each["name"] for each in tasker("worker", "list", "-n", "test").body] == ["w-1"]
    assert tasker("worker", "health").code == 0

    process(name="w-2", last_heartbeat_at=timezone.now() - timedelta(minutes=5))

    assert [each["name"] for each in tasker("worker", "list", "--stale").body] == ["w-2"]
    assert tasker("worker", "status", "w-2").body["status"] == "stale"
    assert tasker("worker", "health").code == 1
    assert tasker("worker", "health", "w-1").code == 0
    assert tasker("worker", "health", "gone").code == 1
    assert tasker("worker", "status", "nope").code == 3


def test_one_process_is_shown_with_what_it_said_last():
    row = process()

    body = tasker("worker", "status", row.pk).body

    assert body["report"] == {"circuit_breaker_state": {"messaging": "closed"}}


def test_nobody_running_is_told_and_fails_the_check():
    assert tasker("worker", "list").err == "No orchestrator and no worker runs.\n"
    assert tasker("worker", "health").code == 1


# ---------------------------------------------------------------- queues


def test_queues_are_listed_with_depth_and_tier(settings):
    settings.TASKER = {"queue_warning": 1, "queue_critical": 2, "queue_overflow": 3}
    ticks.start(linear(1))

    rows = {row["name"]: row for row in tasker("queue", "list").body}

    assert rows[QUEUE]["depth"] == 1
    assert rows[QUEUE]["tier"] == "warning"
    assert rows["orchestration_step_results"]["tier"] == "normal"


def test_a_queue_is_shown_without_reading_it():
    task = ticks.start(linear(1)).task_uuid

    shown = tasker("queue", "show", QUEUE)

    (message,) = shown.body["messages"]
    assert (message["message"]["task_uuid"], message["read_ct"]) == (str(task), 0)
    assert str(task) in tasker("queue", "show", QUEUE, form="table").out
    assert len(ticks.claim()) == 1  # still there, and nobody had to wait
    assert tasker("queue", "show", "nope").code == 3
    assert peek("nope", limit=1) == []


# ---------------------------------------------------------------- the system


def test_the_health_of_the_system_counts_processes_too():
    process(kind="orchestrator", name="o-1", namespaces=[])
    process(last_heartbeat_at=timezone.now() - timedelta(minutes=5))

    everything = tasker("system", "health")
    names = [each["name"] for each in tasker("system", "health", "-o").body["processes"]]

    assert (everything.code, everything.body["status"]) == (1, "unhealthy")
    assert {"web_database", "queue_depth"} <= set(everything.body["checks"])
    assert names == ["o-1"]
    assert "worker w-1" in tasker("system", "health", "-w", form="table").out


def test_the_versions_of_the_system_are_told():
    ended = tasker("system", "info")

    assert (ended.code, ended.body["schema"], ended.body["environment"]) == (0, "complete", "test")
    assert ended.body["postgresql"][:2].isdigit()
