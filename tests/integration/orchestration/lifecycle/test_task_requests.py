"""Requests for tasks through the queue: created once, tried again, or set aside (engine.md 6.5)."""

import pytest
from django.db import connections

from orchestration.client import request_task
from orchestration.lifecycle.request_processor import process_requests
from orchestration.messaging import pgmq
from orchestration.messaging.messages import REQUESTS_QUEUE
from orchestration.models import DlqEntry, Task, TaskTransition
from orchestration.testing import TemplateFactory, linear
from tests.factories.histories import LINEAR_4, task_history
from tests.factories.ticks import run_to_the_end

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _template(transactional_db):
    TemplateFactory.create(template=linear(4))


def process(limit=10):
    return process_requests(limit=limit, actor="system:test")


def send(request, **metadata):
    body = {"request_id": "r", "task_request": request, "metadata": metadata}
    return pgmq.send(REQUESTS_QUEUE, body)


def show_all_messages():
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE pgmq.q_orchestration_task_requests SET vt = clock_timestamp()")


def depth():
    return pgmq.metrics(REQUESTS_QUEUE).depth


def test_request_becomes_a_task():
    request_task("linear_4", namespace="test", context={"a": 1})

    handled = process()
    run_to_the_end()

    assert handled == 1
    assert depth() == 0
    task = Task.objects.get()
    assert task.context == {"a": 1}
    assert task_history(task.pk) == LINEAR_4


def test_limit_of_a_round_is_kept():
    for _ in range(3):
        request_task("linear_4", namespace="test")

    assert [process(limit=2), process(limit=2)] == [2, 1]
    assert Task.objects.count() == 3


@pytest.mark.parametrize(
    ("said", "own", "priority"),
    [("High", {}, 10), ("Low", {}, -10), ("Urgent", {"priority": 3}, 3), ("odd", {}, 0)],
)
def test_priority_by_word_counts_where_the_request_has_no_number(said, own, priority):
    send({"name": "linear_4", "namespace": "test", **own}, priority=said, requester="somebody")

    process()

    assert Task.objects.get().priority == priority
    assert set(TaskTransition.objects.values_list("actor", flat=True)) == {"somebody"}


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        {"task_request": []},
        {"task_request": {"namespace": "test"}},
        {"task_request": {"name": "linear_4", "namespace": "test", "priority": 1000}},
        {"task_request": {"name": "linear_4", "namespace": "test", "bypass_steps": ["x"]}},
    ],
)
def test_invalid_request_is_set_aside_at_once_and_the_next_goes_on(body):
    bad = pgmq.send(REQUESTS_QUEUE, body)
    request_task("linear_4", namespace="test")

    process()

    assert depth() == 0
    assert Task.objects.count() == 1
    entry = DlqEntry.objects.get()
    assert (entry.dlq_reason, entry.queue_name, entry.msg_id) == (
        "poison_message",
        REQUESTS_QUEUE,
        bad,
    )
    assert entry.message == body


def test_unknown_template_is_tried_again_and_found_once_it_is_registered():
    request_task("later", namespace="test")

    process()
    TemplateFactory.create(template=linear(1, name="later"))
    hidden = process()
    show_all_messages()
    process()

    assert hidden == 0
    assert depth() == 0
    assert Task.objects.count() == 1
    assert not DlqEntry.objects.exists()


def test_template_that_stays_unknown_is_set_aside_after_five_reads():
    request_task("never", namespace="test")

    reads = 0
    while depth():
        show_all_messages()
        process()
        reads += 1

    assert reads == 5
    assert "never" in DlqEntry.objects.get().metadata["why"]
    assert not Task.objects.exists()


def test_duplicate_request_is_dropped():
    for number in (1, 2):
        request_task("linear_4", namespace="test", context={"n": number}, idempotency_key="k")

    process()

    assert depth() == 0
    assert Task.objects.get().context == {"n": 1}
    assert not DlqEntry.objects.exists()


def test_repeated_request_finds_its_task():
    for _ in range(2):
        request_task("linear_4", namespace="test", idempotency_key="k")

    assert process() == 2
    assert Task.objects.count() == 1
