"""`HandlerRegistry`: the handlers of this process, found once, on first access.

Why not in `AppConfig.ready()`: a broken handler module must not stop `migrate` or the web process.
While apps are still getting ready, `instance()` therefore gives an empty registry (to which custom
resolvers may be added); discovery follows with the next access.
"""

import logging
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import Any, NamedTuple, Self

from django.apps import apps
from django.conf import settings

from templates_registry.conf import registry_settings
from workers import signals
from workers.conf import worker_settings
from workers.context import HandlerWrapper
from workers.handlers.base import StepHandler
from workers.of_process import OfProcess
from workers.registry import discovery
from workers.registry.chain import ResolverChain
from workers.registry.definition import HandlerDefinition, ResolutionError
from workers.registry.resolvers import (
    ClassLookupResolver,
    DottedPathResolver,
    ExplicitMappingResolver,
    import_path,
)

log = logging.getLogger(__name__)


class Conflict(NamedTuple):
    """Two different handlers under one name."""

    name: str
    first: str
    second: str


class HandlerRegistry(OfProcess):
    """Handlers by name, and the chain that finds all others."""

    _lock = threading.RLock()

    def __init__(self) -> None:
        self._explicit = ExplicitMappingResolver()
        self.resolver_chain = ResolverChain()
        for resolver in (self._explicit, ClassLookupResolver(), DottedPathResolver()):
            self.resolver_chain.add_resolver(resolver)
        self.conflicts: list[Conflict] = []
        self.import_failures: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._is_bootstrapped = False

    # --- the process's registry
    @classmethod
    def instance(cls, skip_bootstrap: bool = False) -> Self:
        """Return the process's registry; the first access discovers."""
        found = super().instance()
        if not skip_bootstrap and (apps.ready or not settings.configured):
            found.bootstrap_handlers()
        return found

    @classmethod
    def reset_instance(cls) -> None:
        """Forget the process's registry; the next access discovers again."""
        cls.replace_instance(None)

    # --- registering
    def register(self, name: str, handler_class: Any) -> None:
        """Register a handler class; raises ValueError for anything else."""
        if not (isinstance(handler_class, type) and issubclass(handler_class, StepHandler)):
            raise ValueError(
                f"Cannot register '{name}': {handler_class!r} is not a StepHandler subclass."
            )
        present = self._explicit.registered(name)
        if present is not None and present is not handler_class:
            log.warning(
                "handler.replaced",
                extra={
                    "handler": name,
                    "before": describe(present),
                    "now": describe(handler_class),
                },
            )
        self._explicit.register(name, handler_class)
        signals.announce(
            signals.handler_registered,
            HandlerRegistry,
            lambda: {"name": name, "handler_class": handler_class},
        )

    def unregister(self, name: str) -> bool:
        """Forget a handler; say whether it was known."""
        return self._explicit.unregister(name)

    def clear(self) -> None:
        """Forget all registered handlers."""
        self._explicit.clear()

    # --- looking up
    def locate(self, definition: HandlerDefinition) -> Any:
        """Return a handler for one dispatch; raises ResolutionError."""
        return self.resolver_chain.locate(definition, definition.initialization)

    def resolve(self, handler_spec: str | HandlerDefinition | HandlerWrapper) -> Any:
        """Return a handler, or None."""
        definition = _definition_of(handler_spec)
        try:
            return self.locate(definition)
        except ResolutionError as error:
            extra = {"handler": definition.callable, "why": str(error)}
            log.warning("handler.unresolved", extra=extra)
            return None

    def get_handler_class(self, name: str) -> type[StepHandler] | None:
        """Return the registered class, or None."""
        found = self._explicit.registered(name)
        found = getattr(found, "_handler_class", found)
        return found if isinstance(found, type) else None

    def is_registered(self, name: str) -> bool:
        """Say whether a handler is registered under this name."""
        return self._explicit.registered(name) is not None

    def list_handlers(self) -> list[str]:
        """Return the registered names in order."""
        return sorted(self._explicit.registered_callables())

    def handler_count(self) -> int:
        """Return the number of registered handlers."""
        return len(self._explicit.registered_callables())

    # --- discovery
    def bootstrap_handlers(self) -> int:
        """Discover all handlers, once; return how many were found by this call."""
        with self._lock:
            if self._is_bootstrapped:
                return 0
            # Set first, because a handler module may ask for the registry while it is imported.
            self._is_bootstrapped = True
            try:
                return self._discover_all()
            except BaseException:
                self._is_bootstrapped = False
                raise

    def discover_handlers(self, package_name: str, base_class: type | None = None) -> int:
        """Import a package and register what is in it; 0 when it cannot be imported."""
        modules = discovery.package_modules(package_name, failures=self.import_failures)
        return self._register_all(modules, source=package_name, base_class=base_class)

    def template_discovery_info(self) -> dict[str, Any]:
        """Return what discovery did, for display."""
        return {
            "handler_count": self.handler_count(),
            "sources": dict(self._counts),
            "import_failures": dict(self.import_failures),
        }

    def _discover_all(self) -> int:
        if not settings.configured:
            return self._register_all(self._path_modules(), source=discovery.PATH_VARIABLE)
        for path in worker_settings().resolvers:
            self.resolver_chain.add_resolver(import_path(path)())
        names: dict[str, type[StepHandler]] = {}
        count = self._register_all(discovery.app_modules(), source="apps", names=names)
        packages = list(worker_settings().handler_packages)
        if registry_settings().load_examples:
            packages.insert(0, discovery.EXAMPLES)
        for package in packages:
            modules = discovery.package_modules(package, failures=self.import_failures)
            count += self._register_all(modules, source=package, names=names)
        return count + self._register_all(self._path_modules(), source=discovery.PATH_VARIABLE)

    def _path_modules(self) -> Iterable[ModuleType]:
        return discovery.path_modules(failures=self.import_failures)

    def _register_all(
        self,
        modules: Iterable[ModuleType],
        *,
        source: str,
        names: dict[str, type[StepHandler]] | None = None,
        base_class: type | None = None,
    ) -> int:
        """Register the handlers of some modules; `names` collects those that must not differ."""
        count = 0
        for module in modules:
            for found in discovery.scan(module):
                if base_class is not None and not issubclass(found.handler_class, base_class):
                    continue
                if names is not None:
                    first = names.setdefault(found.name, found.handler_class)
                    if first is not found.handler_class:
                        self.conflicts.append(
                            Conflict(found.name, describe(first), describe(found.handler_class))
                        )
                if self._explicit.registered(found.name) is not found.handler_class:
                    self.register(found.name, found.handler_class)
                    count += 1
        self._counts[source] = self._counts.get(source, 0) + count
        return count


def _definition_of(spec: str | HandlerDefinition | HandlerWrapper) -> HandlerDefinition:
    if isinstance(spec, str):
        return HandlerDefinition(spec)
    if isinstance(spec, HandlerWrapper):
        return HandlerDefinition(
            spec.callable, spec.handler_method, spec.resolver, spec.initialization
        )
    return spec


def describe(handler: Any) -> str:
    """Return where a handler was defined."""
    return f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', handler)}"
