"""What happens to the events of a report once it is stored: counters, hooks, the in-process bus.

Called after the commit, from the thread that stored the report; never raises, never waits.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from orchestration import metrics
from workers.domain_events.bus import bus
from workers.domain_events.preparing import PreparedEvent
from workers.domain_events.publishers import (
    BasePublisher,
    note_failure,
    tell_failed,
    tell_published,
)


class NotSentError(Exception):
    """The database refused a durable event; the step's result is stored without it."""


def deliver(events: Iterable[PreparedEvent], *, refused: Mapping[str, str]) -> None:
    """Publish events in this process; `refused` tells by event id why a durable one is lost."""
    for each in events:
        if why := refused.get(each.event.event_id):
            _note_refused(each, NotSentError(why))
        else:
            _note_published(each)
        if each.declared.is_in_process:
            bus().put(each.event)
        elif not why:
            bus().note(each.event)


def _note_published(each: PreparedEvent) -> None:
    namespace = each.event.metadata.namespace or metrics.OTHER
    metrics.EVENTS_PUBLISHED.add(namespace=namespace, delivery_mode=each.declared.mode)
    if type(each.publisher).after_publish is not BasePublisher.after_publish:
        bus().call(partial(tell_published, each.publisher, each.event.event_name, each.fired))


def _note_refused(each: PreparedEvent, error: NotSentError) -> None:
    note_failure(each.publisher, each.event.event_name, error)
    if type(each.publisher).on_publish_error is not BasePublisher.on_publish_error:
        name, payload = each.event.event_name, each.fired.payload
        bus().call(partial(tell_failed, each.publisher, name, error, payload))
