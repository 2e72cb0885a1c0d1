"""Domain events of a run: those of all modes are collected, and none reaches the outside."""

from typing import Any

import pytest

from orchestration.messaging import pgmq
from orchestration.messaging.messages import events_queue
from orchestration.testing import FAIL_PERMANENT, fail_times, linear
from workers import step_handler
from workers.domain_events import BasePublisher, PublisherRegistry
from workers.testing import capture_events, run_inline

MODES = ("durable", "fast", "broadcast")


def publishing(*events: dict[str, Any], **step: Any) -> Any:
    """Return a template of one step that publishes these events."""
    return linear(1, steps={"step_1": {"publishes_events": list(events), **step}})


ALL_MODES = [{"name": f"order.{mode}", "delivery_mode": mode} for mode in MODES]


@pytest.mark.django_db
def test_events_of_every_mode_are_collected_in_their_order():
    run = run_inline(publishing(*ALL_MODES))

    assert [event.event_name for event in run.events] == [f"order.{mode}" for mode in MODES]
    event = run.events[0]
    assert event.payload == run.result("step_1")
    assert event.metadata.step_name == "step_1"
    assert event.metadata.task_uuid == str(run.task_uuid)


@pytest.mark.django_db
def test_events_follow_the_outcome_of_each_attempt():
    conditions = ("success", "retryable_failure", "permanent_failure", "always")
    events = [{"name": f"order.{each}", "condition": each} for each in conditions]

    repaired = run_inline(publishing(*events, handler=fail_times(1)))
    refused = run_inline(publishing(*events, handler=FAIL_PERMANENT))

    assert [event.event_name for event in repaired.events] == [
        "order.retryable_failure",
        "order.always",
        "order.success",
        "order.always",
    ]
    names = [event.event_name for event in refused.events]
    assert names == ["order.permanent_failure", "order.always"]


@pytest.mark.django_db
def test_an_atomic_handler_publishes_too():
    @step_handler("test.echo", atomic=True)
    def atomic(context):
        return {"saved": True}

    run = run_inline(publishing(*ALL_MODES), handlers={"test.echo": atomic})

    assert [event.payload for event in run.events] == [{"saved": True}] * 3


@pytest.mark.django_db
def test_a_publisher_of_the_test_shapes_the_payload(isolated_registry):
    class Short(BasePublisher):
        publisher_name = "short"

        def transform_payload(self, context):
            return {"step": context.step_name}

    PublisherRegistry.instance().register(Short())

    run = run_inline(publishing({"name": "order.done", "publisher": "short"}))

    assert run.events[0].payload == {"step": "step_1"}


@pytest.mark.django_db
def test_events_of_several_runs_are_captured_together(captured_events):
    template = publishing({"name": "order.done"})

    with capture_events() as inner:
        run_inline(template)
    run_inline(template)

    assert len(inner) == 1
    assert len(captured_events) == 2


@pytest.mark.django_db(transaction=True)
def test_a_committed_run_leaves_no_durable_event_for_outside_consumers():
    run = run_inline(publishing(*ALL_MODES))

    assert len(run.events) == 3
    assert pgmq.metrics(events_queue("test")).depth == 0
