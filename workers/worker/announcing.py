"""The part of a worker that tells others in its process: subscribers, signals, publishers' hooks.

It starts before the first report and stops after the last one, and hands out what waits before it
ends. From its start the publishers are frozen.
"""

from collections.abc import Callable
from functools import partial

from workers import signals
from workers.domain_events import PublisherRegistry, SubscriberRegistry
from workers.domain_events.poller import WorkerPoller


class Announcing:
    """Two threads: one takes domain events from the bus, one sends signals."""

    name = "announcements"
    stop_seconds = 5.0
    failure: BaseException | None = None

    def __init__(self) -> None:
        """Start nothing yet."""
        self._poller: WorkerPoller | None = None
        self._has_ended = False

    @property
    def is_running(self) -> bool:
        """It has not handed out everything yet."""
        return not self._has_ended

    def start(self, on_end: Callable[[], None]) -> None:
        """Freeze the publishers, start the subscribers."""
        signals.start_sending()
        PublisherRegistry.instance().freeze()
        self._poller = WorkerPoller(on_end=partial(self._end, on_end))
        SubscriberRegistry.instance().start_all(self._poller)
        self._poller.start()

    def stop(self) -> None:
        """Begin to end: what waits is handed out before."""
        if self._poller is not None:
            self._poller.stop(timeout=0)

    def abandon(self) -> None:
        """Leave a subscriber behind that does not return; the process ends without it."""

    def _end(self, on_end: Callable[[], None]) -> None:
        SubscriberRegistry.instance().stop_all()
        signals.stop_sending()
        PublisherRegistry.instance().unfreeze()
        self._has_ended = True
        on_end()
