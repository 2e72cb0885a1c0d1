"""Where a run finds its handlers: given by the test, in the registry, or built in."""

from collections.abc import Iterable, Mapping
from typing import Any

from workers.registry import HandlerDefinition, HandlerRegistry, ResolutionError, as_handler
from workers.registry.resolvers import PlainFunctionHandler
from workers.testing.built_in import BUILT_IN


class Handlers:
    """Finds handlers as a worker does, after those that the test gives and before the built-in."""

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        """Take handlers by callable; raises TypeError for what cannot be one."""
        self._given = dict(given or {})
        self._registry = HandlerRegistry.instance()
        for name, handler in self._given.items():
            if not (callable(handler) or hasattr(handler, "call")):
                raise TypeError(
                    f"handlers['{name}'] is {handler!r}; give a class, a decorated function, a "
                    "function of the context, or an object with call(context)"
                )

    def locate(self, definition: HandlerDefinition) -> Any:
        """Return a handler for one dispatch; raises ResolutionError."""
        name = definition.callable
        if name in self._given:
            return self._build(self._given[name], definition)
        try:
            return self._registry.locate(definition)
        except ResolutionError:
            if name not in BUILT_IN:
                raise
            return self._build(BUILT_IN[name], definition)

    def unused(self, callables: Iterable[str]) -> list[str]:
        """Return the names given that are none of these callables."""
        return sorted(set(self._given) - set(callables))

    def _build(self, given: Any, definition: HandlerDefinition) -> Any:
        handler = as_handler(given, definition.initialization, name=definition.callable)
        if isinstance(handler, PlainFunctionHandler):
            return handler  # it stands for the method too
        return self._registry.resolver_chain.wrap_for_method_dispatch(handler, definition)
