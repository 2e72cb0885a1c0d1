"""Publishers by themselves: hooks, `publish`, and the registry."""

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from uuid import UUID

import pytest
from django.apps import apps

from workers import (
    BasePublisher,
    BaseSubscriber,
    DefaultPublisher,
    FfiStepEvent,
    PublisherRegistry,
    StepContext,
    StepEventContext,
    SubscriberRegistry,
)
from workers.domain_events import collect_events, discovery


@pytest.fixture(autouse=True)
def _own_registries() -> Iterator[None]:
    PublisherRegistry.reset()
    SubscriberRegistry.reset()
    yield
    PublisherRegistry.reset()
    SubscriberRegistry.reset()


class Recording(BasePublisher):
    """Notes the order of its hooks."""

    publisher_name = "recording"

    def __init__(self):
        self.calls = []

    def should_publish(self, ctx):
        self.calls.append("should")
        return ctx.result is not None

    def transform_payload(self, ctx):
        self.calls.append("transform")
        return {"of": ctx.result}

    def additional_metadata(self, ctx):
        self.calls.append("metadata")
        return {"more": 1}

    def before_publish(self, event_name, payload, metadata):
        self.calls.append(("before", event_name, payload, sorted(metadata)))
        return True

    def after_publish(self, event_name, payload, metadata):
        self.calls.append("after")


def context(**given):
    return StepEventContext(**{"task_uuid": "t", "step_uuid": "s", "step_name": "charge", **given})


def test_publish_runs_the_hooks_in_order_and_delivers_in_this_process():
    publisher = Recording()

    with collect_events() as collected:
        assert publisher.publish(context(result=5, metadata={"own": 1}), "payment.captured")

    keys = [
        *("correlation_id", "more", "namespace", "own", "published_at", "publisher"),
        *("step_name", "step_uuid", "task_uuid"),
    ]
    assert publisher.calls == [
        "should",
        "transform",
        "metadata",
        ("before", "payment.captured", {"of": 5}, keys),
        "after",
    ]
    (event,) = collected
    assert event.payload == {"of": 5}
    assert event.metadata.fired_by == "recording"
    assert event.metadata.model_dump()["more"] == 1
    assert UUID(event.event_id).version == 7


def test_the_name_of_an_event_is_that_of_the_step_by_default():
    with collect_events() as collected:
        DefaultPublisher().publish(context())

    assert [(each.event_name, each.payload) for each in collected] == [("charge", {})]


def test_publish_tells_that_an_event_was_skipped():
    publisher = Recording()

    assert publisher.publish(context()) is False
    assert publisher.calls == ["should"]


@pytest.mark.parametrize("payload", [{"x": object()}, [1]])
def test_publish_never_raises(payload):
    told = []

    class Odd(BasePublisher):
        publisher_name = "odd"

        def transform_payload(self, ctx):
            return payload

        def on_publish_error(self, event_name, error, payload):
            told.append(event_name)
            raise ValueError("this one neither")

    assert Odd().publish(context()) is False
    assert told == ["charge"]


def test_a_publisher_that_fails_afterwards_has_published_all_the_same():
    class Late(DefaultPublisher):
        def after_publish(self, event_name, payload, metadata):
            raise ValueError("late")

    assert Late().publish(context()) is True


@pytest.mark.parametrize(
    ("task", "namespace"), [({"namespace_name": "shop"}, "shop"), ({}, "default")]
)
def test_an_event_context_is_made_of_a_step_context(task, namespace):
    step = StepContext.from_ffi_event(
        FfiStepEvent(
            task_uuid="0190e0a0-0000-7000-8000-000000000001", task_sequence_step={"task": task}
        ),
        "shop.charge",
    )

    made = StepEventContext.from_step_context(step, {"a": 1}, {"b": 2})

    assert made.task_uuid == "0190e0a0-0000-7000-8000-000000000001"
    assert (made.step_name, made.namespace) == ("shop.charge", namespace)
    assert (made.result, made.metadata) == ({"a": 1}, {"b": 2})


# --- registry


def test_the_registry_finds_by_name_and_falls_back_to_the_default(caplog):
    registry = PublisherRegistry.instance()
    mine = Recording()
    registry.register(mine)
    registry.register(mine, "alias")

    assert registry.get("recording") is registry.get("alias") is mine
    assert registry.get("nobody") is None
    assert isinstance(registry.get_or_default(None), DefaultPublisher)
    for _ in range(3):
        assert isinstance(registry.get_or_default("nobody"), DefaultPublisher)
    assert [each.message for each in caplog.records] == ["publisher.unknown"]
    assert registry.validate_required(["recording", "nobody", "default"]) == ["nobody"]
    assert registry.list_publishers() == ["alias", "recording"]


def test_another_default_publisher_takes_the_place_of_ours():
    mine = Recording()
    PublisherRegistry.instance().register(mine, "default")

    assert PublisherRegistry.instance().get_or_default(None) is mine
    assert PublisherRegistry.instance().get_or_default("nobody") is mine


def test_a_second_publisher_of_one_name_replaces_the_first_with_a_warning(caplog):
    registry = PublisherRegistry.instance()
    registry.register(Recording())
    second = Recording()

    registry.register(second)

    assert registry.get("recording") is second
    assert [each.message for each in caplog.records] == ["publisher.replaced"]


@pytest.mark.parametrize("wrong", [Recording, object(), "name"])
def test_only_a_publisher_can_be_registered(wrong):
    with pytest.raises(ValueError, match="no instance of BasePublisher"):
        PublisherRegistry.instance().register(wrong)


def test_a_frozen_registry_does_not_change():
    registry = PublisherRegistry.instance()
    registry.freeze()

    assert registry.is_frozen
    with pytest.raises(RuntimeError, match="frozen"):
        registry.register(Recording())
    with pytest.raises(RuntimeError, match="frozen"):
        registry.clear()

    registry.unfreeze()
    registry.register(Recording())
    registry.clear()
    assert registry.list_publishers() == []


# --- discovery


class Abstract(BasePublisher):
    """Has no name, so nobody can build it."""


class Demanding(BasePublisher):
    publisher_name = "demanding"

    def __init__(self, server):
        self.server = server


class Hearing(BaseSubscriber):
    @classmethod
    def subscribes_to(cls):
        return ["*"]

    def handle(self, event):
        pass


def test_the_module_of_an_app_is_searched(monkeypatch):
    module = ModuleType("shop.domain_events")
    for found in (Recording, Abstract, Demanding, Hearing):
        mine = type(found.__name__, (found,), {"__module__": "shop.domain_events"})
        setattr(module, found.__name__, mine)
    module.Imported = DefaultPublisher  # type: ignore[attr-defined]
    package = ModuleType("shop")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "shop", package)
    monkeypatch.setitem(sys.modules, "shop.domain_events", module)
    monkeypatch.setattr(discovery, "module_has_submodule", lambda *names: True)
    monkeypatch.setattr(
        apps, "get_app_configs", lambda: [SimpleNamespace(name="shop", module=package)]
    )

    assert discovery.discover() == (1, 1)
    assert PublisherRegistry.instance().list_publishers() == ["recording"]
    assert SubscriberRegistry.instance().list_registered() == ["Hearing"]
