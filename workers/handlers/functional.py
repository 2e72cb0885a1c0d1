"""Decorators that make step handlers of plain functions.

The function stays what it was and gains `_handler_class`, a `StepHandler` subclass that discovery
registers; decorating alone registers nothing. `run` lets exceptions through to the worker, `call`
turns them into results, so that `fn._handler_class().call(context)` never raises.
"""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeVar, cast

from pydantic import BaseModel

from workers.context import StepContext
from workers.handlers.base import StepHandler
from workers.handlers.batch import BatchAnalyzerOutcome, BatchConfig, BatchWorkerContext
from workers.handlers.batch.analyzer import batches_result, split_items
from workers.handlers.checkpoint import Checkpoint, yield_checkpoint
from workers.handlers.decision import Decision, decision_result
from workers.handlers.injection import Injection, InjectionError, Wanted
from workers.results import StepHandlerResult, failure_from_exception, to_result

Function = TypeVar("Function", bound=Callable[..., Any])
Convert = Callable[["FunctionHandler", Any], Any]


class FunctionalHandler(Protocol):
    """A decorated function, for annotations."""

    _handler_class: type[StepHandler]
    __name__: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class HandlerDecorator(Protocol):
    """What `step_handler(…)` and its siblings return, for annotations."""

    def __call__(self, function: Function, /) -> Function: ...


def step_handler(name: str, version: str = "1.0.0", *, atomic: bool = False) -> HandlerDecorator:
    """Make a step handler of a function."""
    return decorator(name, version, atomic=atomic)


def decision_handler(
    name: str, version: str = "1.0.0", *, atomic: bool = False
) -> HandlerDecorator:
    """Make a handler of a decision step; the function returns a `Decision`."""

    def convert(handler: "FunctionHandler", value: Any) -> Any:
        if isinstance(value, Decision):
            return decision_result(value.outcome, handler=handler)
        return _plain(handler, value)

    return decorator(name, version, atomic=atomic, convert=convert)


def batch_analyzer(
    name: str, worker_template: str, version: str = "1.0.0", *, atomic: bool = False
) -> HandlerDecorator:
    """Make a handler of a batchable step; the function returns a `BatchConfig`."""

    def convert(handler: "FunctionHandler", value: Any) -> Any:
        if not isinstance(value, BatchConfig):
            return _plain(handler, value)
        outcome = BatchAnalyzerOutcome.from_ranges(
            split_items(value.total_items, value.batch_size), batch_metadata=value.metadata
        )
        return batches_result(outcome, worker_template=worker_template, handler_name=handler.name)

    return decorator(name, version, atomic=atomic, convert=convert)


def batch_worker(name: str, version: str = "1.0.0", *, atomic: bool = False) -> HandlerDecorator:
    """Make a handler of a batch worker step; the function gets the keyword `batch_context`."""
    return decorator(name, version, atomic=atomic, wants_batch=True)


def depends_on(**wanted: str | tuple[str, type[BaseModel]]) -> HandlerDecorator:
    """Pass results of earlier steps by keyword: `param="step"` or `param=("step", Model)`."""

    def decorate(function: Function) -> Function:
        results = Injection.of(function).results
        for keyword, step in wanted.items():
            name, model = step if isinstance(step, tuple) else (step, None)
            results.append(Wanted(keyword, name, model))
        return function

    return decorate


def inputs(*wanted: str | type[BaseModel]) -> HandlerDecorator:
    """Pass inputs of the task: each key as a keyword, or one model as `inputs`."""
    keys = [each for each in wanted if isinstance(each, str)]
    if len(keys) < len(wanted) and len(wanted) > 1:
        raise TypeError("inputs() takes keys or one model; stack two inputs() to give both")

    def decorate(function: Function) -> Function:
        injection = Injection.of(function)
        injection.input_keys.extend(keys)
        if wanted and not keys:
            injection.input_model = cast("type[BaseModel]", wanted[0])
        return function

    return decorate


class FunctionHandler(StepHandler):
    """Handler class of a decorated function."""

    is_functional = True
    function: ClassVar[Callable[..., Any]]
    convert: ClassVar[Convert]
    wants_batch: ClassVar[bool] = False

    def arguments(self, context: StepContext) -> dict[str, Any]:
        """Return the function's keyword arguments for one call."""
        found = Injection.of(self.function).arguments(context)
        if self.wants_batch:
            found["batch_context"] = BatchWorkerContext.from_step_context(context)
        return found

    def run(self, context: StepContext) -> Any:
        """Call the function and return its result; what it raises goes through."""
        try:
            arguments = self.arguments(context)
        except InjectionError as error:
            return error.as_failure()
        return self.convert(self.function(**arguments))

    def call(self, context: StepContext) -> Any:
        """Call the function and return its result, also when it raises."""
        try:
            return self.run(context)
        except Exception as error:  # noqa: BLE001 - section 3.4: every exception means a result
            return self.explain_exception(error) or failure_from_exception(
                error, is_functional=True
            )

    def explain_exception(self, error: BaseException) -> StepHandlerResult | None:
        """Say what an exception means to this kind of handler; None: what it means to all."""
        return None


class AsyncFunctionHandler(FunctionHandler):
    """Handler class of a decorated coroutine function."""

    async def run(self, context: StepContext) -> Any:
        """Call the function and return its result; what it raises goes through."""
        try:
            arguments = self.arguments(context)
        except InjectionError as error:
            return error.as_failure()
        return self.convert(await self.function(**arguments))

    async def call(self, context: StepContext) -> Any:
        """Call the function and return its result, also when it raises."""
        try:
            return await self.run(context)
        except Exception as error:  # noqa: BLE001 - section 3.4: every exception means a result
            return self.explain_exception(error) or failure_from_exception(
                error, is_functional=True
            )


def _plain(handler: FunctionHandler, value: Any) -> StepHandlerResult:
    return to_result(yield_checkpoint(value) if isinstance(value, Checkpoint) else value)


def decorator(
    name: str,
    version: str,
    *,
    atomic: bool = False,
    convert: Convert = _plain,
    parents: tuple[type[FunctionHandler], type[FunctionHandler]] | None = None,
    **attributes: Any,
) -> HandlerDecorator:
    """Return a decorator that makes a handler class; `parents` are those of its two kinds."""

    def decorate(function: Function) -> Function:
        plain, asynchronous = parents or (FunctionHandler, AsyncFunctionHandler)
        parent = asynchronous if inspect.iscoroutinefunction(function) else plain
        made = type(
            function.__name__,
            (parent,),
            {
                "handler_name": name,
                "handler_version": version,
                "atomic": atomic,
                "function": staticmethod(function),
                "convert": convert,
                "__doc__": function.__doc__,
                "__module__": function.__module__,
                "__qualname__": function.__qualname__,
                **attributes,
            },
        )
        function._handler_class = made  # type: ignore[attr-defined]
        return function

    return decorate
