"""Queues of durable domain events: created with their namespace, filled behind a savepoint."""

import pytest

from orchestration.messaging import pgmq
from templates_registry.models import TaskNamespace
from tests.sql.rows import value

pytestmark = pytest.mark.django_db


@pytest.fixture
def namespace() -> str:
    return TaskNamespace.objects.create(name="eventful").name


def publish(*pairs):
    queues, messages = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return value("SELECT tasker_publish_events(%s, %s)", queues, messages)


def held(queue):
    return [each.body for each in pgmq.read(queue, limit=10, visibility_seconds=0)]


def test_a_new_namespace_has_a_queue_for_its_events(namespace):
    assert value("SELECT to_regclass('pgmq.q_eventful_domain_events') IS NOT NULL") is True


def test_events_go_out_in_order_and_nothing_is_refused(namespace):
    queue = "eventful_domain_events"

    assert publish((queue, '{"n": 1}'), (queue, '{"n": 2}')) == [None, None]
    assert held(queue) == [{"n": 1}, {"n": 2}]


def test_a_bad_event_takes_no_other_with_it(namespace):
    queue = "eventful_domain_events"

    errors = publish((queue, '{"n": 1}'), (queue, "{"), ("Not A Queue", "{}"), (queue, '{"n": 2}'))

    assert [error is None for error in errors] == [True, False, False, True]
    assert "json" in errors[1]
    assert "Queue name" in errors[2]
    assert held(queue) == [{"n": 1}, {"n": 2}]


def test_a_missing_queue_is_created(namespace):
    value("SELECT pgmq.drop_queue('eventful_domain_events')")

    assert publish(("eventful_domain_events", "{}")) == [None]


def test_without_events_nothing_happens():
    assert publish() == []
