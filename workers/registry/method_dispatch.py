"""Calls another method than `call` of a handler, and is the handler in every other respect."""

from typing import Any

from workers.context import StepContext


class MethodDispatchWrapper:
    """A handler whose `call` is another of its methods."""

    def __init__(self, handler: Any, target_method: str) -> None:
        self.handler = handler
        self.target_method = target_method
        self._target = getattr(handler, target_method)
        if not callable(self._target):
            raise AttributeError(f"{type(handler).__name__}.{target_method} is not a method")

    def call(self, context: StepContext) -> Any:
        """Call the target method."""
        return self._target(context)

    def unwrap(self) -> Any:
        """Return the handler itself."""
        return self.handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handler, name)
