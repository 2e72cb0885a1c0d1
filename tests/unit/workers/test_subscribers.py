"""Bus, poller, subscribers and their registry."""

import threading
import time
from collections.abc import Iterator

import pytest

from orchestration import metrics
from workers import (
    BaseSubscriber,
    DomainEventMetadata,
    ExecutionResult,
    InProcessDomainEvent,
    InProcessDomainEventPoller,
    SubscriberRegistry,
    signals,
)
from workers.domain_events.bus import MAX_WAITING, EventBus, bus
from workers.domain_events.poller import WorkerPoller


def event(name: str = "payment.captured") -> InProcessDomainEvent:
    return InProcessDomainEvent(
        event_id="e",
        event_name=name,
        payload={"amount": 1},
        execution_result=ExecutionResult(success=True),
        metadata=DomainEventMetadata(
            task_uuid="t", correlation_id="c", fired_at="now", fired_by="default"
        ),
    )


def wait_until(condition, within=20):
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture
def poller() -> Iterator[InProcessDomainEventPoller]:
    found = InProcessDomainEventPoller()
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    SubscriberRegistry.reset()
    yield
    SubscriberRegistry.reset()


class Noting(BaseSubscriber):
    """Notes what it is told; `patterns` and hooks may be replaced."""

    patterns = ["payment.*"]

    def __init__(self):
        super().__init__()
        self.told = []

    @classmethod
    def subscribes_to(cls):
        return cls.patterns

    def handle(self, event):
        self.told.append(event["event_name"])

    def on_handle_error(self, event, error):
        self.told.append(type(error).__name__)


@pytest.mark.parametrize(
    ("patterns", "name", "matches"),
    [
        (["payment.*"], "payment.captured", True),
        (["payment.*"], "payments.captured", False),
        (["*.failed"], "order.failed", True),
        (["*.failed"], "order.failed.late", False),
        (["*"], "anything.at.all", True),
        (["a.b", "c.d"], "c.d", True),
        (["A.b"], "a.b", False),
        ([], "a.b", False),
    ],
)
def test_patterns_are_those_of_a_shell(patterns, name, matches):
    class Subscriber(Noting):
        pass

    Subscriber.patterns = patterns

    assert Subscriber().matches(name) is matches


def test_a_subscriber_hears_what_it_subscribes_to_once(poller):
    class Twice(Noting):
        patterns = ["payment.*", "*.captured"]

    subscriber = Twice()
    subscriber.start(poller)
    poller.start()

    for name in ("payment.captured", "order.placed", "payment.refused"):
        bus().put(event(name))

    wait_until(lambda: poller.stats["events_processed"] == 3)
    assert subscriber.told == ["payment.captured", "payment.refused"]
    assert subscriber.subscriptions == ["payment.*", "*.captured"]


def test_an_inactive_subscriber_does_nothing(poller):
    subscriber = Noting()
    subscriber.handle_event_safely({"event_name": "payment.captured"})
    subscriber.start(poller)
    subscriber.stop()
    poller.start()

    bus().put(event())

    wait_until(lambda: poller.stats["events_processed"] == 1)
    assert subscriber.told == []
    assert not subscriber.active
    assert subscriber.subscriptions == []


def explode(*arguments):
    raise ValueError("no")


def leave(*arguments):
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("hook", "action", "told"),
    [
        ("handle", explode, ["ValueError"]),
        ("handle", leave, ["SystemExit"]),
        ("before_handle", explode, ["ValueError"]),
        ("before_handle", lambda event: False, []),
        ("after_handle", explode, ["payment.captured", "ValueError"]),
        ("on_handle_error", explode, ["payment.captured"]),
    ],
)
def test_what_a_subscriber_raises_ends_there(poller, hook, action, told):
    odd, other = Noting(), Noting()
    setattr(odd, hook, action)
    if hook == "on_handle_error":
        odd.after_handle = explode  # type: ignore[method-assign]
    odd.start(poller)
    other.start(poller)
    poller.start()

    bus().put(event())

    wait_until(lambda: other.told)
    assert odd.told == told
    assert poller.is_running


def test_a_callback_that_raises_is_told_to_the_error_callbacks(poller):
    heard: list[BaseException] = []
    poller.on_event(explode)
    poller.on_error(explode)
    poller.on_error(heard.append)
    poller.start()

    bus().put(event())

    wait_until(lambda: heard)
    assert isinstance(heard[0], ValueError)
    assert poller.stats["errors"] == 1


def test_a_running_poller_cannot_be_started_again(poller):
    poller.start()

    with pytest.raises(RuntimeError, match="running already"):
        poller.start()

    poller.stop()
    assert not poller.is_running
    poller.start()
    assert poller.is_running


def test_the_oldest_event_is_dropped_and_counted_when_nobody_takes_them():
    before = metrics.EVENTS_DROPPED.value
    own = EventBus()  # on the process's bus a poller that is just ending may drop too
    channel = own.open()

    for number in range(MAX_WAITING + 5):
        own.put(event(f"event.n{number}"))
    taken = channel.take(MAX_WAITING + 5, within_seconds=0)

    assert len(taken) == MAX_WAITING
    assert isinstance(taken[0], InProcessDomainEvent)
    assert taken[0].event_name == "event.n5"
    assert metrics.EVENTS_DROPPED.value == before + 5


def test_what_waits_is_handed_out_before_a_poller_ends(poller):
    gate, heard = threading.Event(), []
    poller.on_event(lambda event: gate.wait(20))
    poller.on_event(lambda event: heard.append(event.event_name))
    poller.start()
    for number in range(50):
        bus().put(event(f"event.n{number}"))

    poller.stop(timeout=0)
    bus().put(event("too.late"))
    gate.set()

    wait_until(lambda: not poller.is_running)
    assert heard == [f"event.n{number}" for number in range(50)]


def test_a_workers_poller_calls_hooks_and_sends_the_signal():
    heard = []

    def receive(sender, event, **rest):
        heard.append(event.event_name)

    signals.domain_event.connect(receive)
    poller = WorkerPoller()
    poller.start()
    try:
        bus().put(event())
        bus().call(lambda: heard.append("hook"))
    finally:
        poller.stop()
        signals.domain_event.disconnect(receive)

    assert heard == ["payment.captured", "hook"]


# --- registry


class Broken(Noting):
    def __init__(self):
        raise ValueError("no")


def test_the_registry_starts_and_stops_all(poller):
    registry = SubscriberRegistry.instance()
    registry.register(Noting)
    registry.register(Broken)
    mine = Noting()
    registry.register_instance(mine, "mine")

    assert registry.start_all(poller) == 2
    assert registry.active_count == 2
    assert registry.list_registered() == ["Broken", "Noting", "mine"]
    assert registry.stats()["subscribers"]["mine"] == {
        "active": True,
        "subscribes_to": ["payment.*"],
    }
    assert registry.stop_all() == 2
    assert registry.active_count == 0
    registry.clear()
    assert registry.list_registered() == []


@pytest.mark.parametrize("wrong", [Noting, object(), "name"])
def test_only_a_subscriber_can_be_registered_as_an_instance(wrong):
    with pytest.raises(ValueError, match="no BaseSubscriber"):
        SubscriberRegistry.instance().register_instance(wrong)


@pytest.mark.parametrize("wrong", [object, 1])
def test_only_a_subscriber_class_can_be_registered(wrong):
    with pytest.raises(ValueError, match="no BaseSubscriber class"):
        SubscriberRegistry.instance().register(wrong)
