"""What a template says about the handler of a step, and the errors of not finding it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from templates_registry.schema import StepTemplate

DEFAULT_METHOD = "call"


@dataclass(frozen=True)
class HandlerDefinition:
    """Callable, method, resolver hint and configuration of a step's handler."""

    callable: str
    handler_method: str | None = None
    resolver: str | None = None
    initialization: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_callable(cls, callable_str: str) -> "HandlerDefinition":
        """Build it from the callable alone."""
        return cls(callable_str)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> "HandlerDefinition":
        """Build it from a template's `handler` map; nothing gives an empty callable."""
        data = data or {}
        return cls(
            data.get("callable") or "",
            data.get("method") or data.get("handler_method"),
            data.get("resolver"),
            data.get("initialization") or {},
        )

    @classmethod
    def from_step(cls, step: "StepTemplate") -> "HandlerDefinition":
        """Build it from a step of a template."""
        handler = step.handler
        return cls(handler.callable, handler.method, handler.resolver, handler.initialization)

    def effective_method(self) -> str:
        """Return the name of the method to call."""
        return self.handler_method or DEFAULT_METHOD

    def uses_method_dispatch(self) -> bool:
        """Say whether another method than `call` is wanted."""
        return self.effective_method() != DEFAULT_METHOD

    def has_resolver_hint(self) -> bool:
        """Say whether only one named resolver may answer."""
        return bool(self.resolver)


class ResolutionError(Exception):
    """A callable could not be turned into a handler."""

    code: ClassVar[str] = "HANDLER_NOT_FOUND"


class HandlerNotFoundError(ResolutionError):
    """No resolver knows the callable, or its module or constructor failed."""


class ResolverNotFoundError(ResolutionError):
    """The template names a resolver that does not exist."""

    code = "RESOLVER_NOT_FOUND"


class MethodNotFoundError(ResolutionError):
    """The handler exists, but not the method that the template names."""

    code = "METHOD_NOT_FOUND"
