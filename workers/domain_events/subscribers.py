"""Subscribers: what a process does with the events that are published in it."""

import logging
from abc import ABC, abstractmethod
from fnmatch import fnmatchcase
from typing import Any

from workers.domain_events.models import InProcessDomainEvent
from workers.domain_events.poller import InProcessDomainEventPoller

log = logging.getLogger(__name__)

Event = dict[str, Any]


class BaseSubscriber(ABC):
    """Base of all subscribers; every hook has a default that lets the event through."""

    def __init__(self) -> None:
        self._poller: InProcessDomainEventPoller | None = None

    @classmethod
    @abstractmethod
    def subscribes_to(cls) -> list[str]:
        """Return patterns of event names, as a shell knows them: `payment.*`, `*.failed`, `*`."""

    @abstractmethod
    def handle(self, event: Event) -> None:
        """Do what has to be done."""

    def before_handle(self, event: Event) -> bool:
        """Look at the event first; False skips it."""
        return True

    def after_handle(self, event: Event) -> None:  # noqa: B027 - an optional hook
        """Hear that the event was handled."""

    def on_handle_error(  # noqa: B027 - an optional hook
        self, event: Event, error: BaseException
    ) -> None:
        """Hear that handling the event failed."""

    @property
    def active(self) -> bool:
        """Whether events are handled now."""
        return getattr(self, "_poller", None) is not None

    @property
    def subscriptions(self) -> list[str]:
        """The patterns, while active."""
        return list(self.subscribes_to()) if self.active else []

    def matches(self, event_name: str) -> bool:
        """Say whether an event of this name is for this subscriber."""
        return any(fnmatchcase(event_name, pattern) for pattern in self.subscribes_to())

    def start(self, poller: InProcessDomainEventPoller) -> None:
        """Handle what the poller takes from now on."""
        if self.active:
            return
        self._poller = poller
        poller.on_event(self._receive)

    def stop(self) -> None:
        """Handle nothing more."""
        poller, self._poller = getattr(self, "_poller", None), None
        if poller is not None:
            poller.forget(self._receive)

    def handle_event_safely(self, event: Event) -> None:
        """Run the hooks around `handle`; never raises, does nothing while inactive."""
        if not self.active:
            return
        try:
            if self.before_handle(event):
                self.handle(event)
                self.after_handle(event)
        except BaseException as error:
            log.exception("domain_event.subscriber_failed", extra=self._about(event))
            try:
                self.on_handle_error(event, error)
            except BaseException:
                log.exception("domain_event.subscriber_failed", extra=self._about(event))

    def _receive(self, event: InProcessDomainEvent) -> None:
        if self.matches(event.event_name):
            self.handle_event_safely(event.model_dump(mode="json"))

    def _about(self, event: Event) -> dict[str, Any]:
        return {"subscriber": type(self).__qualname__, "event": event.get("event_name")}
