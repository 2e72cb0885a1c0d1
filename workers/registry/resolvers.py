"""The resolvers: each turns some kinds of callable text into a handler.

`load` raises, so that the chain can tell why nothing was found; `resolve` is the published form and
returns None instead. Custom resolvers need only implement `resolve`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ClassVar

from workers.context import StepContext
from workers.handlers.base import StepHandler
from workers.registry.definition import HandlerDefinition

Config = Mapping[str, Any] | None
NAME_PATH = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.[a-z_]\w*$")


class BaseResolver(ABC):
    """One way to find a handler."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that a template's `resolver` refers to."""

    @property
    def priority(self) -> int:
        """Place in the chain; lower ones are asked first."""
        return 50

    @abstractmethod
    def can_resolve(self, definition: HandlerDefinition, config: Config = None) -> bool:
        """Say whether this resolver is responsible for the callable."""

    @abstractmethod
    def resolve(self, definition: HandlerDefinition, config: Config = None) -> Any:
        """Return a handler, or None."""

    def load(self, definition: HandlerDefinition, config: Config) -> Any:
        """Return a handler or None; may raise to say why there is none."""
        return self.resolve(definition, config)

    def registered_callables(self) -> list[str]:
        """Return the callables that are known by name."""
        return []


class _LoadingResolver(BaseResolver):
    """A resolver of ours: `resolve` is `load` without its errors."""

    def resolve(self, definition: HandlerDefinition, config: Config = None) -> Any:
        """Return a handler, or None on any failure."""
        try:
            return self.load(definition, config)
        except Exception:  # noqa: BLE001 - the published contract: None on any failure
            return None

    @abstractmethod
    def load(self, definition: HandlerDefinition, config: Config) -> Any:
        """Return a handler or None; raises what the module or the constructor raises."""


class ExplicitMappingResolver(_LoadingResolver):
    """Knows what was registered, by its exact key."""

    name = "explicit_mapping"
    priority = 10

    def __init__(self, name: str = "explicit_mapping") -> None:
        """Know nothing yet; a chain may hold several under different names."""
        self.name = name
        self._handlers: dict[str, Any] = {}

    def register(self, key: str, handler: Any) -> None:
        """Register a class, an object with `call`, a decorated function, or a factory."""
        self._handlers[key] = handler

    def unregister(self, key: str) -> bool:
        """Forget a key; say whether it was known."""
        return self._handlers.pop(key, None) is not None

    def registered(self, key: str) -> Any:
        """Return what is registered under a key, or None."""
        return self._handlers.get(key)

    def registered_callables(self) -> list[str]:
        """Return the registered keys."""
        return list(self._handlers)

    def clear(self) -> None:
        """Forget everything."""
        self._handlers.clear()

    def can_resolve(self, definition: HandlerDefinition, config: Config = None) -> bool:
        """Say whether the key is registered."""
        return definition.callable in self._handlers

    def load(self, definition: HandlerDefinition, config: Config) -> Any:
        """Return an instance of the class, the object itself, or what the factory makes."""
        handler = self._handlers.get(definition.callable)
        if handler is None:
            return None
        handler = getattr(handler, "_handler_class", handler)
        if isinstance(handler, type):
            return instantiate(handler, config)
        return handler if hasattr(handler, "call") else handler(dict(config or {}))


class ClassLookupResolver(_LoadingResolver):
    """Imports `package.module.ClassName`."""

    CLASS_PATTERN: ClassVar[re.Pattern[str]] = re.compile(
        r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.[A-Z]\w*$"
    )
    name = "class_lookup"
    priority = 100

    def can_resolve(self, definition: HandlerDefinition, config: Config = None) -> bool:
        """Say whether the callable looks like the path of a class."""
        return self.CLASS_PATTERN.match(definition.callable) is not None

    def load(self, definition: HandlerDefinition, config: Config) -> Any:
        """Import the class and return an instance."""
        found = import_path(definition.callable)
        if not isinstance(found, type):
            raise TypeError(f"{definition.callable} is not a class")
        if not hasattr(found, "call") and not hasattr(found, definition.effective_method()):
            raise TypeError(f"{definition.callable} has no method call(context)")
        return instantiate(found, config)


class DottedPathResolver(_LoadingResolver):
    """Imports `package.module.name`: a decorated function, a handler object, a plain function."""

    name = "dotted_path"
    priority = 110

    def can_resolve(self, definition: HandlerDefinition, config: Config = None) -> bool:
        """Say whether the callable looks like the path of something else than a class."""
        return NAME_PATH.match(definition.callable) is not None

    def load(self, definition: HandlerDefinition, config: Config) -> Any:
        """Import the object and return it as a handler."""
        return as_handler(import_path(definition.callable), config, name=definition.callable)


class RegistryResolver(BaseResolver):
    """Base of custom resolvers that are responsible for a pattern or a prefix."""

    _name: ClassVar[str] = "custom_resolver"
    _priority: ClassVar[int] = 50
    pattern: ClassVar[str | re.Pattern[str] | None] = None
    prefix: ClassVar[str | None] = None

    @property
    def name(self) -> str:
        """The name that a template's `resolver` refers to."""
        return self._name

    @property
    def priority(self) -> int:
        """Place in the chain."""
        return self._priority

    def can_resolve(self, definition: HandlerDefinition, config: Config = None) -> bool:
        """Say whether the callable fits the pattern or begins with the prefix."""
        if self.pattern is not None:
            return self._match_pattern(definition.callable) is not None
        return self.prefix is not None and definition.callable.startswith(self.prefix)

    def resolve(self, definition: HandlerDefinition, config: Config = None) -> Any:
        """Return what `resolve_handler` makes."""
        return self.resolve_handler(definition, config)

    def resolve_handler(self, definition: HandlerDefinition, config: Config) -> Any:
        """Return a handler, or None; to be implemented."""
        raise NotImplementedError(f"{type(self).__name__} must implement resolve_handler()")

    def _match_pattern(self, text: str) -> re.Match[str] | None:
        return re.match(self.pattern, text) if self.pattern is not None else None


class PlainFunctionHandler(StepHandler):
    """Handler made of an undecorated function of one argument, the context."""

    is_functional = True

    def __init__(self, function: Callable[[StepContext], Any]) -> None:
        self.function = function

    def call(self, context: StepContext) -> Any:
        """Call the function."""
        return self.function(context)


def as_handler(found: Any, config: Config, *, name: str) -> Any:
    """Return what a class, a decorated or plain function, or an object with `call` runs as.

    Raises TypeError, which calls it by `name`, for anything else.
    """
    found = getattr(found, "_handler_class", found)
    if isinstance(found, type):
        return instantiate(found, config)
    if hasattr(found, "call"):
        return found
    if not callable(found):
        raise TypeError(f"{name} is not callable")
    return PlainFunctionHandler(found)


def instantiate(handler_class: type, config: Config) -> Any:
    """Build a handler without arguments or, when it refuses that, with its configuration."""
    try:
        return handler_class()
    except TypeError as refusal:
        try:
            return handler_class(config=dict(config or {}))
        except TypeError:
            raise refusal from None


def import_path(path: str) -> Any:
    """Import the object at a dotted path; raises ImportError or AttributeError."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
