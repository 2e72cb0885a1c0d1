"""From the callable that a template names to a handler that runs: discovery and resolution.

`discovery` finds handlers in modules, `chain` asks resolvers in turn, `handlers.HandlerRegistry`
holds both for the process. Handlers are imported on first access, never while Django starts.
"""

from workers.registry.chain import ResolverChain
from workers.registry.definition import (
    HandlerDefinition,
    HandlerNotFoundError,
    MethodNotFoundError,
    ResolutionError,
    ResolverNotFoundError,
)
from workers.registry.handlers import HandlerRegistry
from workers.registry.initialization import initialization_problem
from workers.registry.method_dispatch import MethodDispatchWrapper
from workers.registry.resolvers import (
    BaseResolver,
    ClassLookupResolver,
    DottedPathResolver,
    ExplicitMappingResolver,
    RegistryResolver,
    as_handler,
)
from workers.registry.unresolved import HandlerSource, UnresolvedStep, unresolved_steps

__all__ = [
    "BaseResolver",
    "ClassLookupResolver",
    "DottedPathResolver",
    "ExplicitMappingResolver",
    "HandlerDefinition",
    "HandlerNotFoundError",
    "HandlerRegistry",
    "HandlerSource",
    "MethodDispatchWrapper",
    "MethodNotFoundError",
    "RegistryResolver",
    "ResolutionError",
    "ResolverChain",
    "ResolverNotFoundError",
    "UnresolvedStep",
    "as_handler",
    "initialization_problem",
    "unresolved_steps",
]
