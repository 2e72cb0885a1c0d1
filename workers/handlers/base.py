"""`StepHandler`: a step handler as a class, one instance per dispatch."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any, ClassVar

from workers.context import StepContext
from workers.results import ErrorType, StepHandlerResult

StepHandlerCallResult = StepHandlerResult | Awaitable[StepHandlerResult]
"""What `call` returns, for annotations; other values are turned into a result (section 3.3)."""


class StepHandler(ABC):
    """Base of all handler classes, decorated functions included."""

    handler_name: ClassVar[str] = ""
    handler_version: ClassVar[str] = "1.0.0"
    atomic: ClassVar[bool] = False
    is_functional: ClassVar[bool] = False  # made of a function; decides the type of foreign errors

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse an asynchronous handler that asks for a transaction."""
        super().__init_subclass__(**kwargs)
        if cls.atomic and inspect.iscoroutinefunction(cls.call):
            raise TypeError(
                f"Handler {cls.handler_name or cls.__name__} is asynchronous and atomic; "
                "a transaction belongs to one thread: make it synchronous, or drop atomic=True."
            )

    @abstractmethod
    def call(self, context: StepContext) -> Any | Awaitable[Any]:
        """Run the step; may be `async def`."""

    @property
    def name(self) -> str:
        """The registered name, or the class name without one."""
        return self.handler_name or type(self).__name__

    @property
    def version(self) -> str:
        """The handler's version, recorded in results."""
        return self.handler_version

    @property
    def capabilities(self) -> list[str]:
        """What the handler can do, for display."""
        return ["process"]

    def config_schema(self) -> dict[str, Any] | None:
        """Return a JSON Schema for `initialization`, or None."""
        return None

    def success(
        self, result: dict[Any, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """Build a success."""
        return StepHandlerResult.build_success(result, metadata)

    def failure(
        self,
        message: str,
        error_type: str = ErrorType.HANDLER_ERROR,
        retryable: bool = True,
        metadata: dict[str, Any] | None = None,
        error_code: str | None = None,
    ) -> StepHandlerResult:
        """Build a failure."""
        return StepHandlerResult.failure(message, error_type, retryable, metadata, error_code)
