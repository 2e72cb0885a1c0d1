"""`InProcessDomainEventPoller`: takes events from the bus and hands them to callbacks."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connections

from orchestration import metrics
from workers import signals
from workers.domain_events.bus import Channel, bus
from workers.domain_events.models import InProcessDomainEvent

log = logging.getLogger(__name__)

OnEvent = Callable[[InProcessDomainEvent], object]
OnError = Callable[[BaseException], object]

LOOK_SECONDS = 0.5
"""How long the thread waits at most before it looks whether it shall stop; an event wakes it."""


class InProcessDomainEventPoller:
    """A thread that calls every callback with every event, one event after the other.

    `polling_interval_ms` is accepted as published; an event wakes the thread, nothing is polled.
    """

    DEFAULT_POLL_INTERVAL_MS = 10
    DEFAULT_MAX_EVENTS_PER_POLL = 100
    takes_hooks = False

    def __init__(
        self,
        polling_interval_ms: int = DEFAULT_POLL_INTERVAL_MS,
        max_events_per_poll: int = DEFAULT_MAX_EVENTS_PER_POLL,
    ) -> None:
        self.polling_interval_ms = polling_interval_ms
        self.max_events_per_poll = max_events_per_poll
        self._on_event: list[OnEvent] = []
        self._on_error: list[OnError] = []
        self._channel: Channel | None = None
        self._thread: threading.Thread | None = None
        self._is_stopping = threading.Event()
        self._processed = self._failed = 0

    @property
    def is_running(self) -> bool:
        """Whether its thread lives."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def stats(self) -> dict[str, Any]:
        """What the poller has done so far."""
        return {
            "is_running": self.is_running,
            "events_processed": self._processed,
            "errors": self._failed,
            "waiting": 0 if self._channel is None else len(self._channel),
            "callbacks": len(self._on_event),
        }

    def on_event(self, callback: OnEvent) -> None:
        """Call this with every event."""
        self._on_event.append(callback)

    def forget(self, callback: OnEvent) -> None:
        """Call this no more."""
        if callback in self._on_event:
            self._on_event.remove(callback)

    def on_error(self, callback: OnError) -> None:
        """Call this with what a callback raises."""
        self._on_error.append(callback)

    def start(self) -> None:
        """Take events from now on; raises RuntimeError when it runs already."""
        if self.is_running:
            raise RuntimeError("The poller is running already; stop() it first.")
        self._is_stopping.clear()
        self._channel = bus().open(takes_hooks=self.takes_hooks)
        self._thread = threading.Thread(
            target=self._run, args=(self._channel,), name="tasker-events", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Hand out what waits and end; after `timeout` seconds the rest is left behind."""
        channel, thread = self._channel, self._thread
        if channel is None or thread is None:
            return
        bus().close(channel)
        self._is_stopping.set()
        channel.wake()
        if thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self, channel: Channel) -> None:
        while True:
            items = channel.take(self.max_events_per_poll, within_seconds=LOOK_SECONDS)
            for item in items:
                if isinstance(item, InProcessDomainEvent):
                    self._hand_out(item)
                else:
                    self._guard(item)
            connections.close_all()  # those of callbacks; they go back to the pool
            if not items and self._is_stopping.is_set():
                return

    def _hand_out(self, event: InProcessDomainEvent) -> None:
        self._processed += 1
        metrics.EVENTS_DISPATCHED.add()
        for callback in tuple(self._on_event):
            self._guard(partial(callback, event))

    def _guard(self, call: Callable[[], object]) -> None:
        """Call foreign code; what it raises ends here."""
        try:
            call()
        except BaseException as error:
            self._failed += 1
            log.exception("domain_event.callback_failed")
            for callback in tuple(self._on_error):
                try:
                    callback(error)
                except BaseException:
                    log.exception("domain_event.callback_failed")


class WorkerPoller(InProcessDomainEventPoller):
    """The poller of a worker: also calls publishers' hooks and sends the signal `domain_event`.

    `on_end` is called from its thread when everything has been handed out after `stop`.
    """

    takes_hooks = True

    def __init__(self, *, on_end: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._on_end = on_end

    def _run(self, channel: Channel) -> None:
        super()._run(channel)
        self._on_end()

    def _hand_out(self, event: InProcessDomainEvent) -> None:
        signals.announce(signals.domain_event, type(event), lambda: {"event": event})
        super()._hand_out(event)
