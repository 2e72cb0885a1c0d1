"""Domain events in tests: collecting them, and keeping them from everybody else.

The hook is the bus of `workers.domain_events`, which shows events of all modes to who collects
them. Messages that a run has left for outside consumers are taken back at its end: a test that
commits must not have told the world.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from uuid import UUID
from weakref import WeakSet

from orchestration.messaging import pgmq
from orchestration.messaging.messages import events_queue
from workers.domain_events import InProcessDomainEvent, PublisherRegistry, collect_events, discovery

MESSAGES_AT_ONCE = 1000
_filled: "WeakSet[PublisherRegistry]" = WeakSet()


def capture_events() -> AbstractContextManager[list[InProcessDomainEvent]]:
    """Collect the domain events that steps of this process publish meanwhile, of all modes.

    `with capture_events() as events:` gives the list that fills.
    """
    return collect_events()


def discover_publishers() -> None:
    """Register what the apps define, as a worker does at its start; once for each registry."""
    registry = PublisherRegistry.instance()
    if registry not in _filled and not registry.is_frozen:
        _filled.add(registry)
        discovery.discover()


def take_back(events: Sequence[InProcessDomainEvent], *, task_uuid: UUID, namespace: str) -> None:
    """Delete the messages that carry durable events of a task."""
    queue = events_queue(namespace)
    only = {"metadata": {"task_uuid": str(task_uuid)}}
    while events:
        messages = pgmq.read(queue, limit=MESSAGES_AT_ONCE, visibility_seconds=1, only=only)
        if not messages:
            return
        pgmq.delete(queue, *(message.msg_id for message in messages))
