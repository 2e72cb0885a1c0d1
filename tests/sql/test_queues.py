"""The queue functions of engine.md 5.6: queues that notify, and single messages."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, transaction

from templates_registry.models import TaskNamespace
from tests.processes import database_url
from tests.sql.rows import ask, run, value

pytestmark = pytest.mark.django_db
QUEUE = "worker_test_queue"


@pytest.fixture
def queue() -> str:
    value("SELECT pgmq_create_queue_with_notify(%s)", QUEUE)
    return QUEUE


class Ear:
    """A connection that listens."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def listen(self, *channels: str) -> None:
        for channel in channels:
            self.connection.execute(f'LISTEN "{channel}"'.encode())

    def heard(self, count: int = 1) -> dict[str, Any]:
        """Return the payloads by channel; what was sent before is there already."""
        found = list(self.connection.notifies(timeout=5, stop_after=count))
        more = list(self.connection.notifies(timeout=0.05))
        assert len(found) + len(more) == count
        return {each.channel: json.loads(each.payload) for each in found}


@pytest.fixture
def ear(transactional_db: None) -> Iterator[Ear]:
    with psycopg.connect(database_url(), autocommit=True) as connection:
        yield Ear(connection)


@pytest.mark.parametrize(
    ("queue_name", "namespace"),
    [
        ("orchestration_step_results", "orchestration"),
        ("orchestration_task_requests", "orchestration"),
        ("worker_payments_queue", "payments"),
        ("worker_worker_queue", "worker"),
        ("worker_a_queue_queue", "a_queue"),
        ("payments_domain_events", "payments"),
        ("payments_queue", "payments"),
        ("worker_queue", "worker"),
        ("anything", "default"),
        ("_queue", "default"),
    ],
)
def test_the_namespace_is_told_by_the_name(queue_name, namespace):
    assert value("SELECT extract_queue_namespace(%s)", queue_name) == namespace


def test_a_queue_is_created_once():
    created = [value("SELECT pgmq_create_queue_with_notify('fresh_queue')") for _ in "12"]

    assert created == [True, False]
    assert value("SELECT count(*) FROM pgmq.meta WHERE queue_name = 'fresh_queue'") == 1


@pytest.mark.parametrize("name", ["", "Upper", "a-b", "a b", 'a"b', "a;b", "x" * 48, None])
def test_a_name_that_is_not_allowed_is_refused(name):
    with pytest.raises(DatabaseError, match="not allowed"), transaction.atomic():
        value("SELECT pgmq_create_queue_with_notify(%s)", name)


def test_a_new_namespace_has_a_worker_queue():
    TaskNamespace.objects.create(name="brand_new")

    assert value("SELECT to_regclass('pgmq.q_worker_brand_new_queue') IS NOT NULL")


@pytest.mark.django_db(transaction=True)
def test_creation_is_announced(ear):
    ear.listen("pgmq_queue_created")

    value("SELECT pgmq_create_queue_with_notify('loud_queue')")

    payload = ear.heard()["pgmq_queue_created"]
    assert payload.pop("created_at")
    assert payload == {
        "event_type": "queue_created",
        "queue_name": "loud_queue",
        "namespace": "loud",
    }
    run("SELECT pgmq.drop_queue('loud_queue')")


def test_a_message_is_there_after_sending(queue):
    msg_id = value("SELECT pgmq_send_with_notify(%s, %s)", queue, '{"n": 1}')

    (row,) = ask("SELECT msg_id, message FROM pgmq.read(%s, 30, 10)", queue)
    assert row == {"msg_id": msg_id, "message": '{"n": 1}'}


def test_a_delayed_message_is_not_visible_yet(queue):
    value("SELECT pgmq_send_with_notify(%s, '{}', 60)", queue)

    assert ask("SELECT * FROM pgmq.read(%s, 30, 10)", queue) == []


@pytest.mark.django_db(transaction=True)
def test_a_message_is_announced_on_both_channels_at_commit(ear, queue):
    ear.listen("pgmq_message_ready", "pgmq_message_ready.test", "pgmq_message_ready.other")

    with transaction.atomic():
        msg_id = value("SELECT pgmq_send_with_notify(%s, '{}', 5)", queue)
        assert list(ear.connection.notifies(timeout=0.05)) == []

    heard = ear.heard(2)
    assert set(heard) == {"pgmq_message_ready", "pgmq_message_ready.test"}
    for payload in heard.values():
        assert payload.pop("ready_at")
        assert payload == {
            "event_type": "message_ready",
            "msg_id": msg_id,
            "queue_name": queue,
            "namespace": "test",
            "delay_seconds": 5,
        }


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_message_and_notification_back(ear, queue):
    ear.listen("pgmq_message_ready")

    with transaction.atomic():
        value("SELECT pgmq_send_with_notify(%s, '{}')", queue)
        transaction.set_rollback(True)

    assert list(ear.connection.notifies(timeout=0.05)) == []
    assert ask("SELECT * FROM pgmq.read(%s, 30, 10)", queue) == []


def send_batch(queue: str, messages: list[str], delay: int = 0) -> list[int]:
    rows = ask(
        "SELECT * FROM pgmq_send_batch_with_notify(%s, %s::jsonb[], %s)", queue, messages, delay
    )
    return [row["pgmq_send_batch_with_notify"] for row in rows]


def test_a_batch_answers_ids_in_the_order_given(queue):
    messages = [f'{{"n": {number}}}' for number in range(500)]

    ids = send_batch(queue, messages)

    assert ids == sorted(ids)
    stored = ask("SELECT msg_id, message FROM pgmq.q_worker_test_queue ORDER BY msg_id")
    assert [(row["msg_id"], row["message"]) for row in stored] == list(
        zip(ids, messages, strict=True)
    )


def test_a_delayed_batch_is_not_visible_yet(queue):
    send_batch(queue, ["{}", "{}"], delay=60)

    assert ask("SELECT * FROM pgmq.read(%s, 30, 10)", queue) == []


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_announced_once_per_channel(ear, queue):
    ear.listen("pgmq_message_ready", "pgmq_message_ready.test")

    ids = send_batch(queue, ["{}"] * 20)

    heard = ear.heard(2)
    for payload in heard.values():
        assert payload.pop("ready_at")
        assert payload == {
            "event_type": "batch_ready",
            "msg_ids": ids,
            "queue_name": queue,
            "namespace": "test",
            "message_count": 20,
            "delay_seconds": 0,
        }


@pytest.mark.django_db(transaction=True)
def test_a_large_batch_is_announced_without_its_ids(ear, queue):
    ear.listen("pgmq_message_ready.test")

    send_batch(queue, ["{}"] * 5000)

    payload = ear.heard()["pgmq_message_ready.test"]
    assert "msg_ids" not in payload
    assert payload["message_count"] == 5000


@pytest.mark.django_db(transaction=True)
def test_an_empty_batch_sends_nothing_and_says_nothing(ear, queue):
    ear.listen("pgmq_message_ready", "pgmq_message_ready.test")

    assert send_batch(queue, []) == []
    assert ask("SELECT * FROM pgmq_send_batch_with_notify(%s, NULL)", queue) == []
    assert list(ear.connection.notifies(timeout=0.05)) == []


def test_one_message_is_read_by_its_id_and_hidden(queue):
    first, second = send_batch(queue, ['{"n": 1}', '{"n": 2}'])

    (row,) = ask("SELECT * FROM pgmq_read_specific_message(%s, %s)", queue, second)

    assert (row["msg_id"], row["read_ct"], row["message"]) == (second, 1, '{"n": 2}')
    assert list(row) == ["msg_id", "read_ct", "enqueued_at", "vt", "message"]
    assert 29 <= (row["vt"] - row["enqueued_at"]).total_seconds() <= 31
    assert ask("SELECT * FROM pgmq_read_specific_message(%s, %s)", queue, second) == []
    assert [r["msg_id"] for r in ask("SELECT msg_id FROM pgmq.read(%s, 0, 10)", queue)] == [first]


def test_reads_are_counted(queue):
    msg_id = value("SELECT pgmq_send_with_notify(%s, '{}')", queue)

    counts = [
        value("SELECT read_ct FROM pgmq_read_specific_message(%s, %s, 0)", queue, msg_id)
        for _ in "123"
    ]

    assert counts == [1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_message_that_somebody_holds_is_not_waited_for(ear, queue):
    msg_id = value("SELECT pgmq_send_with_notify(%s, '{}')", queue)

    with ear.connection.transaction():
        ear.connection.execute("SELECT * FROM pgmq.q_worker_test_queue FOR UPDATE")
        found = ask("SELECT * FROM pgmq_read_specific_message(%s, %s)", queue, msg_id)

    assert found == []


def test_a_message_is_deleted_once(queue):
    msg_id = value("SELECT pgmq_send_with_notify(%s, '{}')", queue)

    deleted = [value("SELECT pgmq_delete_specific_message(%s, %s)", queue, msg_id) for _ in "12"]

    assert deleted == [True, False]


def test_a_message_is_hidden_longer_from_now_on(queue):
    msg_id = value("SELECT pgmq_send_with_notify(%s, '{}')", queue)

    assert value("SELECT pgmq_extend_vt_specific_message(%s, %s, 60)", queue, msg_id) is True

    left = value("SELECT extract(epoch FROM vt - clock_timestamp()) FROM pgmq.q_worker_test_queue")
    assert 59 < left <= 60
    assert value("SELECT pgmq_extend_vt_specific_message(%s, 0)", queue) is False


@pytest.mark.parametrize(
    "call",
    [
        "SELECT * FROM pgmq_read_specific_message(%s, 1)",
        "SELECT pgmq_delete_specific_message(%s, 1)",
        "SELECT pgmq_extend_vt_specific_message(%s, 1)",
    ],
)
@pytest.mark.parametrize("name", ["no_such_queue", "a-b", "a; DROP TABLE x", "", None])
def test_a_missing_queue_or_a_name_that_cannot_be_one_raises(call, name):
    with pytest.raises(DatabaseError, match=r"not allowed|does not exist"), transaction.atomic():
        ask(call, name)


def test_names_are_matched_without_regard_to_case(queue):
    msg_id = value("SELECT pgmq_send_with_notify(%s, '{}')", queue)

    assert value("SELECT pgmq_delete_specific_message(%s, %s)", queue.upper(), msg_id) is True


def test_worker_messages_name_their_steps(queue):
    step = "01890a5d-ac96-774b-bcce-b302099a8057"
    ids = send_batch(queue, [f'{{"step_uuid": "{step}"}}', '{"step_uuid": "no uuid"}', "[]"])

    rows = ask("SELECT msg_id, workflow_step_uuid::text AS step FROM tasker_worker_messages()")

    assert [(row["msg_id"], row["step"]) for row in rows] == list(
        zip(ids, [step, None, None], strict=True)
    )
