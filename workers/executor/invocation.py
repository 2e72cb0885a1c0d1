"""Calls a handler under its deadline, waits for what it returns when that is awaitable.

Never raises: an `Invocation` says what came out. Asynchronous handlers run in an event loop of
their own, started by `async_to_sync`, so that Django's async ORM works on this thread's connection
and not on one that nobody closes.
"""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync, sync_to_async

from orchestration.runtime import database
from workers.context import Ancestors, StepContext
from workers.errors import StepTimeoutError
from workers.executor.execution import Execution
from workers.executor.watchdog import Watch, Watchdog
from workers.handlers.functional import FunctionHandler

log = logging.getLogger(__name__)


class Invocation(NamedTuple):
    """What came out of one call of a handler."""

    value: Any = None
    error: BaseException | None = None
    is_timed_out: bool = False


def invoke(
    handler: Any, context: StepContext, *, execution: Execution, watchdog: Watchdog
) -> Invocation:
    """Call a handler until it returns, raises or runs into its deadline."""
    deadline = time.monotonic() + execution.timeout_seconds
    execution.progress.deadline = deadline
    function = handler.run if isinstance(handler, FunctionHandler) else handler.call
    watch = watchdog.watch(execution, deadline=deadline)
    found = _call(function, context, watch)
    if found.error is not None or found.is_timed_out or not inspect.isawaitable(found.value):
        _close(handler)
        return found
    if getattr(handler, "atomic", False):
        _close(handler)
        return Invocation(error=_refuse_awaitable(found.value, context))
    database.note_opened()  # in which thread its connections open is up to the coroutine
    # The exception of the watchdog cannot reach a coroutine; its loop's own timer cancels it.
    watch = watchdog.watch(execution, deadline=deadline)
    try:
        return async_to_sync(_await)(handler, found.value, context, deadline)
    finally:
        watch.close()


def _close(handler: Any) -> None:
    """Close what a handler keeps open during one dispatch only, such as an HTTP client."""
    if not getattr(handler, "closes_after_dispatch", False):
        return
    try:
        handler.close()
    except Exception:
        log.exception("handler.close_failed")


def _call(function: Callable[[StepContext], Any], context: StepContext, watch: Watch) -> Invocation:
    value: Any = None
    error: BaseException | None = None
    try:
        try:
            watch.arm()
            value = function(context)
        except BaseException as raised:  # noqa: BLE001 - section 3.4: everything means a result
            error = raised
        watch.close()
    except StepTimeoutError:  # delivered between the handler's end and the end of its watch
        watch.close()
    return Invocation(value, error, watch.is_timed_out)


async def _await(
    handler: Any, awaitable: Awaitable[Any], context: StepContext, deadline: float
) -> Invocation:
    limit = asyncio.timeout(max(0.0, deadline - time.monotonic()))
    value: Any = None
    error: BaseException | None = None
    try:
        async with limit:
            await _complete(context.dependency_results)
            value = await awaitable
    except BaseException as raised:  # noqa: BLE001 - section 3.4: everything means a result
        error = raised
    finally:
        if inspect.iscoroutine(awaitable):
            awaitable.close()  # without effect on one that has ended
    _close(handler)  # here, because the loop has a thread of its own
    return Invocation(value, error, limit.expired())


async def _complete(dependency_results: dict[str, Any]) -> None:
    """Fetch what a coroutine could ask for: it may not talk to the database itself."""
    if isinstance(dependency_results, Ancestors) and dependency_results.is_partial:
        await sync_to_async(dependency_results.complete)()


def _refuse_awaitable(awaitable: Any, context: StepContext) -> TypeError:
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    return TypeError(
        f"Handler {context.handler_name} is atomic but returned an awaitable; "
        "a transaction belongs to one thread: make it synchronous, or drop atomic."
    )
