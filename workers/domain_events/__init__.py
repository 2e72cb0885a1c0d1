"""Domain events: what a step tells others about its outcome, as its template declares.

The way of an event: `declarations` (what a template step publishes, and when) → `preparing` (the
publisher's hooks, the payload, its check) → the step's report, which carries the durable form into
`{namespace}_domain_events` in its own transaction → `delivery` (after the commit: counters, hooks,
the in-process `bus`) → `poller` → `subscribers`.

Nothing here can fail a step: whatever a publisher or a subscriber raises is logged and counted.
"""

from workers.domain_events.bus import collect_events
from workers.domain_events.models import (
    DomainEventMetadata,
    EventDeclaration,
    ExecutionResult,
    InProcessDomainEvent,
    PublishContext,
    StepEventContext,
    StepResult,
)
from workers.domain_events.poller import InProcessDomainEventPoller
from workers.domain_events.publisher_registry import PublisherRegistry
from workers.domain_events.publishers import BasePublisher, DefaultPublisher
from workers.domain_events.subscriber_registry import SubscriberRegistry
from workers.domain_events.subscribers import BaseSubscriber

__all__ = [
    "BasePublisher",
    "BaseSubscriber",
    "DefaultPublisher",
    "DomainEventMetadata",
    "EventDeclaration",
    "ExecutionResult",
    "InProcessDomainEvent",
    "InProcessDomainEventPoller",
    "PublishContext",
    "PublisherRegistry",
    "StepEventContext",
    "StepResult",
    "SubscriberRegistry",
    "collect_events",
]
