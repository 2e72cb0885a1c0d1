"""The in-process bus: from the threads that publish events to the pollers that hand them out.

Every poller has a channel of its own that holds `MAX_WAITING` events; when nobody takes them in
time, the oldest is dropped and counted. Nothing is kept for pollers that start later.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

from orchestration import metrics
from workers.domain_events.models import InProcessDomainEvent

log = logging.getLogger(__name__)

MAX_WAITING = 1000

Item = InProcessDomainEvent | Callable[[], None]
"""An event, or a publisher's hook to be called by a worker, in the order of publication."""


class Channel:
    """The events that wait for one poller."""

    def __init__(self, *, takes_hooks: bool) -> None:
        self.takes_hooks = takes_hooks
        self._items: deque[Item] = deque()
        self._is_filled = threading.Condition()

    def put(self, item: Item) -> None:
        """Add an item; drops the oldest one when the channel is full."""
        with self._is_filled:
            if len(self._items) >= MAX_WAITING:
                self._drop(self._items.popleft())
            self._items.append(item)
            metrics.EVENTS_WAITING.set(len(self._items))
            self._is_filled.notify()

    def take(self, limit: int, *, within_seconds: float) -> list[Item]:
        """Return up to `limit` items; waits for the first one."""
        with self._is_filled:
            if not self._items:
                self._is_filled.wait(within_seconds)
            taken = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
            metrics.EVENTS_WAITING.set(len(self._items))
            return taken

    def wake(self) -> None:
        """End the wait of whoever takes."""
        with self._is_filled:
            self._is_filled.notify_all()

    def __len__(self) -> int:
        return len(self._items)

    @staticmethod
    def _drop(item: Item) -> None:
        namespace, name = None, "hook"
        if isinstance(item, InProcessDomainEvent):
            namespace, name = item.metadata.namespace, item.event_name
        metrics.EVENTS_DROPPED.add(namespace=namespace or metrics.OTHER, delivery_mode="fast")
        log.warning("event.dropped", extra={"event": name, "because": "nobody takes them in time"})


class EventBus:
    """Gives every event to every open channel."""

    def __init__(self) -> None:
        self._channels: tuple[Channel, ...] = ()
        self._collections: tuple[list[InProcessDomainEvent], ...] = ()
        self._lock = threading.Lock()

    def open(self, *, takes_hooks: bool = False) -> Channel:
        """Return a new channel, which gets what is published from now on."""
        channel = Channel(takes_hooks=takes_hooks)
        with self._lock:
            self._channels = (*self._channels, channel)
        return channel

    def close(self, channel: Channel) -> None:
        """Give a channel nothing more."""
        with self._lock:
            self._channels = tuple(each for each in self._channels if each is not channel)

    def put(self, event: InProcessDomainEvent) -> None:
        """Publish an event; from any thread, returns at once."""
        self.note(event)
        for channel in self._channels:
            channel.put(event)

    def note(self, event: InProcessDomainEvent) -> None:
        """Show an event to those alone who collect events of all modes."""
        for collection in self._collections:
            collection.append(event)

    @contextmanager
    def collecting(self) -> Iterator[list[InProcessDomainEvent]]:
        """Collect the events of all modes that are published in this process meanwhile."""
        collection: list[InProcessDomainEvent] = []
        with self._lock:
            self._collections = (*self._collections, collection)
        try:
            yield collection
        finally:
            with self._lock:
                self._collections = tuple(
                    each for each in self._collections if each is not collection
                )

    def call(self, hook: Callable[[], None]) -> None:
        """Have a worker's poller call a hook; call it at once where there is none."""
        for channel in self._channels:
            if channel.takes_hooks:
                channel.put(hook)
                return
        hook()


@cache
def bus() -> EventBus:
    """Return the process's bus."""
    return EventBus()


def collect_events() -> AbstractContextManager[list[InProcessDomainEvent]]:
    """Collect what steps publish in this process, durable events too, once it is committed.

    The hook of tests: `with collect_events() as events:` gives the list that fills.
    """
    return bus().collecting()
