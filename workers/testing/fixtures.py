"""A plugin for pytest: `pytest_plugins = ["workers.testing.fixtures"]` in the root conftest.py.

`isolated_registry` keeps what a test registers from other tests, `captured_events` is the list of
the domain events that steps publish during a test.
"""

from collections.abc import Iterator

import pytest

from workers.domain_events import InProcessDomainEvent, PublisherRegistry, SubscriberRegistry
from workers.registry import HandlerRegistry
from workers.testing.events import capture_events


@pytest.fixture
def isolated_registry() -> Iterator[HandlerRegistry]:
    """Return a registry of this test's own, in which handlers are discovered anew.

    Publishers and subscribers have their own registries too, empty ones.
    """
    handlers = HandlerRegistry.replace_instance(None)
    publishers = PublisherRegistry.replace_instance(None)
    subscribers = SubscriberRegistry.replace_instance(None)
    yield HandlerRegistry.instance()
    SubscriberRegistry.instance().stop_all()
    HandlerRegistry.replace_instance(handlers)
    PublisherRegistry.replace_instance(publishers)
    SubscriberRegistry.replace_instance(subscribers)


@pytest.fixture
def captured_events() -> Iterator[list[InProcessDomainEvent]]:
    """Return the list of domain events that steps publish during the test, of all modes."""
    with capture_events() as events:
        yield events
