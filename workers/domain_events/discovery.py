"""Finds publishers and subscribers in the module `domain_events` of every installed app.

A worker does this before it starts and freezes the publishers then. What is registered by hand, for
instance by a handler's module, stays.
"""

import inspect
import logging
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from workers.domain_events.publisher_registry import PublisherRegistry
from workers.domain_events.publishers import BasePublisher
from workers.domain_events.subscriber_registry import SubscriberRegistry
from workers.domain_events.subscribers import BaseSubscriber

log = logging.getLogger(__name__)

APP_MODULE = "domain_events"
OURS = "workers"  # its package of this name is where this file lies


class Discovered(NamedTuple):
    """How many classes were registered."""

    publishers: int
    subscribers: int


def discover() -> Discovered:
    """Register what the installed apps define; an import error goes through."""
    publishers = subscribers = 0
    for app in apps.get_app_configs():
        if app.name == OURS or not module_has_submodule(app.module, APP_MODULE):
            continue
        found = register_module(import_module(f"{app.name}.{APP_MODULE}"))
        publishers += found.publishers
        subscribers += found.subscribers
    return Discovered(publishers, subscribers)


def register_module(module: ModuleType) -> Discovered:
    """Register the concrete publishers and subscribers that a module, or its package, defines."""
    publishers = subscribers = 0
    for value in list(vars(module).values()):
        if not isinstance(value, type) or inspect.isabstract(value):
            continue
        if not f"{value.__module__}.".startswith(f"{module.__name__}."):
            continue  # imported from elsewhere
        if issubclass(value, BaseSubscriber):
            SubscriberRegistry.instance().register(value)
            subscribers += 1
        elif issubclass(value, BasePublisher):
            publishers += _register_publisher(value)
    return Discovered(publishers, subscribers)


def _register_publisher(publisher_class: type[BasePublisher]) -> bool:
    try:
        PublisherRegistry.instance().register(publisher_class())
    except Exception:
        log.exception(
            "publisher.unusable",
            extra={"publisher": publisher_class.__qualname__, "then": "default"},
        )
        return False
    return True
