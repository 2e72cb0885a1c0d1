"""`api_handler`: a decorated function that gets an HTTP client as the keyword `api`."""

from collections.abc import Mapping
from typing import Any

from workers.context import StepContext
from workers.handlers.api.mixin import APIMixin
from workers.handlers.functional import (
    AsyncFunctionHandler,
    FunctionHandler,
    HandlerDecorator,
    decorator,
)


class _Calling(APIMixin):
    """What both handler classes of api functions share."""

    @property
    def capabilities(self) -> list[str]:
        """What the handler can do, for display."""
        return ["process", *self.api_capabilities]


class ApiFunctionHandler(_Calling, FunctionHandler):
    """Handler class of a function that calls a service."""

    def arguments(self, context: StepContext) -> dict[str, Any]:
        """Return the function's keyword arguments for one call."""
        return {**super().arguments(context), "api": self}


class AsyncApiFunctionHandler(_Calling, AsyncFunctionHandler):
    """Handler class of a coroutine function that calls a service."""

    def arguments(self, context: StepContext) -> dict[str, Any]:
        """Return the function's keyword arguments for one call."""
        return {**super().arguments(context), "api": self}


def api_handler(
    name: str,
    base_url: str,
    version: str = "1.0.0",
    timeout: float = 30.0,
    default_headers: Mapping[str, str] | None = None,
) -> HandlerDecorator:
    """Make a step handler of a function that calls a service; it gets the keyword `api`."""
    return decorator(
        name,
        version,
        parents=(ApiFunctionHandler, AsyncApiFunctionHandler),
        base_url=base_url,
        default_timeout=timeout,
        default_headers=dict(default_headers or {}),
    )
