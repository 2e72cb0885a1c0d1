"""`EventBridge`: signals under their published names."""

import logging

import pytest

from workers import EventBridge, EventNames, signals
from workers.published.models import FfiDispatchMetrics


@pytest.fixture
def bridge():
    """Return a started bridge that nobody else has."""
    bridge = EventBridge()
    bridge.start()
    yield bridge
    bridge.stop()


@pytest.mark.parametrize(
    ("name", "signal", "given", "heard"),
    [
        (EventNames.STEP_EXECUTION_RECEIVED, "step_execution_received", {"event": 1}, (1,)),
        (
            EventNames.STEP_COMPLETION_SENT,
            "step_completion_sent",
            {"event": 1, "result": 2},
            (2,),
        ),
        (
            EventNames.STEP_CHECKPOINT_YIELD,
            "step_checkpoint_yield_sent",
            {"event": 1, "checkpoint": {"cursor": 3}},
            ({"cursor": 3},),
        ),
        (
            EventNames.HANDLER_REGISTERED,
            "handler_registered",
            {"name": "a", "handler_class": object},
            ("a", object),
        ),
        (EventNames.HANDLER_ERROR, "handler_error", {"event": 1, "error": 2}, (1, 2)),
        (EventNames.POLLER_ERROR, "worker_error", {"error": 5}, (5,)),
    ],
)
def test_a_listener_hears_what_the_signal_tells(bridge, name, signal, given, heard):
    calls: list[tuple[object, ...]] = []
    bridge.subscribe(name, lambda *args: calls.append(args))

    getattr(signals, signal).send_robust(sender=None, **given)

    assert calls == [heard]
    assert name in bridge.event_schema


def test_metrics_come_in_the_published_shape(bridge):
    heard: list[object] = []
    bridge.subscribe(EventNames.POLLER_METRICS, heard.append)

    signals.worker_metrics.send_robust(sender=None, metrics={"steps.claimed": 3})

    assert heard == [FfiDispatchMetrics(pending_count=0)]


def test_a_signal_is_connected_only_while_somebody_listens(bridge):
    def listen(event):
        pass

    signal = signals.step_execution_received
    assert not signal.has_listeners()

    bridge.subscribe(EventNames.STEP_EXECUTION_RECEIVED, listen)
    assert signal.has_listeners()
    bridge.stop()
    assert not signal.has_listeners()
    bridge.start()
    assert signal.has_listeners()
    bridge.unsubscribe(EventNames.STEP_EXECUTION_RECEIVED, listen)
    assert not signal.has_listeners()


def test_one_time_listeners_hear_one_event(bridge):
    heard: list[object] = []
    bridge.subscribe_once("shop.closed", heard.append)
    bridge.subscribe("shop.closed", heard.append)
    assert bridge.listener_count("shop.closed") == 2

    bridge.publish("shop.closed", 1)
    bridge.publish("shop.closed", 2)

    assert heard == [1, 1, 2]
    assert bridge.listener_count("shop.closed") == 1


def test_events_are_dropped_with_a_warning_while_inactive(caplog):
    bridge = EventBridge()
    heard: list[object] = []
    bridge.subscribe("shop.closed", heard.append)

    with caplog.at_level(logging.WARNING):
        bridge.publish("shop.closed", 1)

    assert heard == []
    assert not bridge.is_active
    assert caplog.messages == ["event_bridge.dropped"]


def test_a_failing_listener_keeps_nobody_from_hearing(bridge, caplog):
    heard: list[object] = []

    def fail(value):
        raise RuntimeError("no")

    bridge.subscribe("shop.closed", fail)
    bridge.subscribe("shop.closed", heard.append)

    bridge.publish("shop.closed", 1)

    assert heard == [1]
    assert caplog.messages == ["event_bridge.listener_failed"]


def test_the_process_has_one_bridge_until_it_is_reset():
    first = EventBridge.instance()
    first.start()
    assert EventBridge.instance() is first

    EventBridge.reset_instance()

    assert not first.is_active
    assert EventBridge.instance() is not first
    EventBridge.reset_instance()
