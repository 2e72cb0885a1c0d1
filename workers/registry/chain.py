"""`ResolverChain`: asks resolvers by priority until one returns a handler.

`locate` raises an error that says what was tried; `resolve` is the published form.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from workers.registry.definition import (
    HandlerDefinition,
    HandlerNotFoundError,
    MethodNotFoundError,
    ResolverNotFoundError,
)
from workers.registry.method_dispatch import MethodDispatchWrapper
from workers.registry.resolvers import (
    BaseResolver,
    ClassLookupResolver,
    Config,
    ExplicitMappingResolver,
)


class ResolverChain:
    """Resolvers in the order of their priority."""

    def __init__(self) -> None:
        self._resolvers: list[BaseResolver] = []

    @classmethod
    def default(cls) -> "ResolverChain":
        """Return a chain of the two published resolvers."""
        return cls().add_resolver(ExplicitMappingResolver()).add_resolver(ClassLookupResolver())

    def __len__(self) -> int:
        return len(self._resolvers)

    @property
    def resolver_names(self) -> list[str]:
        """Names in the order of asking."""
        return [each.name for each in self._resolvers]

    @property
    def explicit_resolver(self) -> ExplicitMappingResolver | None:
        """The resolver that `register` writes to."""
        found = (each for each in self._resolvers if isinstance(each, ExplicitMappingResolver))
        return next(found, None)

    def add_resolver(self, resolver: BaseResolver) -> "ResolverChain":
        """Add a resolver behind those of the same priority."""
        self._resolvers = sorted([*self._resolvers, resolver], key=lambda each: each.priority)
        return self

    def remove_resolver(self, name: str) -> bool:
        """Remove a resolver; say whether it was there."""
        kept = [each for each in self._resolvers if each.name != name]
        is_removed = len(kept) < len(self._resolvers)
        self._resolvers = kept
        return is_removed

    def get_resolver(self, name: str) -> BaseResolver | None:
        """Return the resolver of a name, or None."""
        return next((each for each in self._resolvers if each.name == name), None)

    def list_resolvers(self) -> list[tuple[str, int]]:
        """Return name and priority of each resolver."""
        return [(each.name, each.priority) for each in self._resolvers]

    def chain_info(self) -> list[dict[str, Any]]:
        """Return what is known of each resolver, for display."""
        return [
            {
                "name": each.name,
                "priority": each.priority,
                "resolver_class": type(each).__name__,
                "callables": each.registered_callables(),
            }
            for each in self._resolvers
        ]

    def register(self, key: str, handler: Any) -> None:
        """Register a handler under a key; raises RuntimeError without an explicit resolver."""
        resolver = self.explicit_resolver
        if resolver is None:
            raise RuntimeError(f"Cannot register '{key}': the chain has no explicit_mapping.")
        resolver.register(key, handler)

    def registered_callables(self) -> list[str]:
        """Return every callable that some resolver knows by name."""
        return [name for each in self._resolvers for name in each.registered_callables()]

    def can_resolve(self, definition: HandlerDefinition, config: Config = None) -> bool:
        """Say whether some resolver feels responsible; it may still find nothing."""
        if definition.resolver:
            hinted = self.get_resolver(definition.resolver)
            return hinted is not None and hinted.can_resolve(definition, config)
        return any(each.can_resolve(definition, config) for each in self._resolvers)

    def resolve(self, definition: HandlerDefinition, config: Config = None) -> Any:
        """Return a handler, or None; raises ResolverNotFoundError for an unknown hint."""
        try:
            return self.locate(definition, config)
        except (HandlerNotFoundError, MethodNotFoundError):
            return None

    def locate(self, definition: HandlerDefinition, config: Config = None) -> Any:
        """Return a handler; raises the ResolutionError that says why there is none."""
        failures: dict[str, str] = {}
        for resolver in self._candidates(definition):
            try:
                handler = None
                if definition.resolver or resolver.can_resolve(definition, config):
                    handler = resolver.load(definition, config)
                failures[resolver.name] = ""
            except Exception as error:  # noqa: BLE001 - modules and constructors raise anything
                handler = None
                failures[resolver.name] = f"{type(error).__name__}: {error}"
            if handler is not None:
                return self.wrap_for_method_dispatch(handler, definition)
        raise HandlerNotFoundError(self._explain(definition, failures))

    def wrap_for_method_dispatch(self, handler: Any, definition: HandlerDefinition) -> Any:
        """Return the handler, wrapped when another method than `call` is wanted."""
        method = definition.effective_method()
        if not callable(getattr(handler, method, None)):
            raise MethodNotFoundError(
                f"Handler not found: {definition.callable} (resolved to "
                f"{type(handler).__name__}, which has no method '{method}')"
            )
        if not definition.uses_method_dispatch():
            return handler
        return MethodDispatchWrapper(handler, method)

    def _candidates(self, definition: HandlerDefinition) -> list[BaseResolver]:
        if not definition.resolver:
            return self._resolvers
        hinted = self.get_resolver(definition.resolver)
        if hinted is None:
            raise ResolverNotFoundError(
                f"Handler not found: {definition.callable} (resolver '{definition.resolver}' "
                f"does not exist; there are {', '.join(self.resolver_names)})"
            )
        return [hinted]

    def _explain(self, definition: HandlerDefinition, failures: Mapping[str, str]) -> str:
        tried = [f"{name} ({why})" if why else name for name, why in failures.items()]
        parts = [f"tried {', '.join(tried) or 'no resolver'}"]
        if definition.resolver:
            parts.append(f"only resolver '{definition.resolver}' was allowed")
        similar = get_close_matches(definition.callable, self.registered_callables(), n=3)
        if similar:
            parts.append(f"similar names: {', '.join(similar)}")
        return f"Handler not found: {definition.callable} ({'; '.join(parts)})"
