"""`PublisherRegistry`: the publishers of this process by name."""

import logging
from collections.abc import Iterable
from typing import Any

from workers.domain_events.publishers import BasePublisher, DefaultPublisher
from workers.of_process import OfProcess

log = logging.getLogger(__name__)


class PublisherRegistry(OfProcess):
    """Publishers by name; nothing changes any more once it is frozen."""

    def __init__(self) -> None:
        self._publishers: dict[str, BasePublisher] = {}
        self._default: BasePublisher = DefaultPublisher()
        self._is_frozen = False
        self._unknown: set[str] = set()

    @classmethod
    def reset(cls) -> None:
        """Forget the process's registry; the next access makes an empty one."""
        cls.replace_instance(None)

    @property
    def is_frozen(self) -> bool:
        """Whether registering is over."""
        return self._is_frozen

    def register(self, publisher: Any, name: str | None = None) -> None:
        """Register a publisher under its own or another name.

        Raises ValueError for anything else than a publisher, RuntimeError when frozen.
        """
        if not isinstance(publisher, BasePublisher):
            raise ValueError(f"Cannot register {publisher!r}: it is no instance of BasePublisher.")
        key = name or publisher.publisher_name
        self._require_open(f"register publisher '{key}'")
        if self._publishers.get(key) not in (None, publisher):
            log.warning("publisher.replaced", extra={"publisher": key})
        self._publishers[key] = publisher

    def get(self, name: str) -> BasePublisher | None:
        """Return a publisher, or None."""
        found = self._publishers.get(name)
        return self._default if found is None and name == "default" else found

    def get_or_default(self, name: str | None) -> BasePublisher:
        """Return a publisher; the default one without a name, and for a name nobody knows."""
        found = self.get(name or "default")
        if found is not None:
            return found
        if name not in self._unknown:
            self._unknown.add(str(name))
            log.warning(
                "publisher.unknown",
                extra={"publisher": name, "known": self.list_publishers(), "then": "default"},
            )
        return self._publishers.get("default", self._default)

    def validate_required(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that nobody is registered under."""
        return [name for name in names if self.get(name) is None]

    def freeze(self) -> None:
        """End registering: a running worker's publishers do not change."""
        self._is_frozen = True

    def unfreeze(self) -> None:
        """Allow registering again."""
        self._is_frozen = False

    def list_publishers(self) -> list[str]:
        """Return the registered names in order."""
        return sorted(self._publishers)

    def clear(self) -> None:
        """Forget all publishers; raises RuntimeError when frozen."""
        self._require_open("clear the publishers")
        self._publishers.clear()
        self._unknown.clear()

    def _require_open(self, attempted: str) -> None:
        if self._is_frozen:
            raise RuntimeError(
                f"Cannot {attempted}: the registry is frozen since the worker started; register "
                "in <app>/domain_events.py, or call unfreeze() first."
            )
