"""`SubscriberRegistry`: the subscribers of this process."""

import logging
from typing import Any

from workers.domain_events.poller import InProcessDomainEventPoller
from workers.domain_events.subscribers import BaseSubscriber
from workers.of_process import OfProcess

log = logging.getLogger(__name__)


class SubscriberRegistry(OfProcess):
    """Subscribers by name; classes are built when they are started."""

    def __init__(self) -> None:
        self._classes: dict[str, type[BaseSubscriber]] = {}
        self._instances: dict[str, BaseSubscriber] = {}

    @classmethod
    def reset(cls) -> None:
        """Stop all subscribers and forget the process's registry."""
        former = cls.replace_instance(None)
        if former is not None:
            former.stop_all()

    def register(self, subscriber_class: Any) -> None:
        """Register a class, built without arguments by `start_all`; ValueError for others."""
        if not (
            isinstance(subscriber_class, type) and issubclass(subscriber_class, BaseSubscriber)
        ):
            raise ValueError(
                f"Cannot register {subscriber_class!r}: it is no BaseSubscriber class."
            )
        self._classes[subscriber_class.__qualname__] = subscriber_class

    def register_instance(self, subscriber: Any, name: str | None = None) -> None:
        """Register a subscriber that exists; ValueError for anything else."""
        if not isinstance(subscriber, BaseSubscriber):
            raise ValueError(f"Cannot register {subscriber!r}: it is no BaseSubscriber.")
        self._instances[name or type(subscriber).__qualname__] = subscriber

    def start_all(self, poller: InProcessDomainEventPoller) -> int:
        """Start all subscribers on a poller; return how many are active. Never raises."""
        for name, subscriber_class in self._classes.items():
            if name not in self._instances:
                self._build(name, subscriber_class)
        for name, subscriber in self._instances.items():
            try:
                subscriber.start(poller)
            except Exception:
                log.exception("domain_event.subscriber_failed", extra={"subscriber": name})
        return self.active_count

    def stop_all(self) -> int:
        """Stop all subscribers; return how many were active. Never raises."""
        count = self.active_count
        for name, subscriber in self._instances.items():
            try:
                subscriber.stop()
            except Exception:
                log.exception("domain_event.subscriber_failed", extra={"subscriber": name})
        return count

    @property
    def active_count(self) -> int:
        """How many subscribers handle events now."""
        return sum(each.active for each in self._instances.values())

    def list_registered(self) -> list[str]:
        """Return the registered names in order."""
        return sorted({*self._classes, *self._instances})

    def stats(self) -> dict[str, Any]:
        """Return what is registered and active, for display."""
        return {
            "registered": len(self.list_registered()),
            "active": self.active_count,
            "subscribers": {
                name: {"active": each.active, "subscribes_to": list(each.subscribes_to())}
                for name, each in sorted(self._instances.items())
            },
        }

    def clear(self) -> None:
        """Stop and forget all subscribers."""
        self.stop_all()
        self._classes.clear()
        self._instances.clear()

    def _build(self, name: str, subscriber_class: type[BaseSubscriber]) -> None:
        try:
            self._instances[name] = subscriber_class()
        except Exception:
            log.exception("domain_event.subscriber_failed", extra={"subscriber": name})
