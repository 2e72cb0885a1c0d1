"""One handler under test, without a database: called, timed out and understood as in a worker.

What is not here is what needs rows: `atomic`, heartbeats, the claim. The result has been through
the report that a worker would send, so it is what dependants would see.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

from django.utils import timezone
from pydantic_core import from_json

from orchestration.queries.steps import Claim, StepReport
from templates_registry.schema import HandlerSpec, StepTemplate
from workers.conf import worker_settings
from workers.context import StepContext
from workers.executor import Execution, checkpoints
from workers.executor import outcome as outcomes
from workers.executor.dispatch import Dispatch
from workers.executor.plan import Plan
from workers.executor.report import Run, build_report
from workers.executor.watchdog import Watchdog
from workers.registry import HandlerDefinition
from workers.results import StepHandlerResult
from workers.testing.contexts import make_context
from workers.testing.handlers import Handlers
from workers.testing.outcome import InlineRunError

NOBODY = UUID(int=0)
WORKER = "run_handler"


def run_handler(
    handler: Any, context: StepContext | None = None, *, method: str = "call", **parts: Any
) -> StepHandlerResult:
    """Call a handler once and return its result; what the handler raises becomes a failure.

    `handler` is a decorated function, a class, an instance, or a registered name. Without a
    context, one is made of the further keywords, as `make_context` does.
    """
    return _call(handler, _context(context, parts), method=method)


def run_until_done(
    handler: Any,
    context: StepContext | None = None,
    *,
    method: str = "call",
    max_dispatches: int = 10_000,
    **parts: Any,
) -> list[StepHandlerResult]:
    """Call a handler again after each checkpoint that it yields; return all results in order.

    Raises `InlineRunError` when it still yields after `max_dispatches` calls.
    """
    context = _context(context, parts)
    results: list[StepHandlerResult] = []
    for result in _dispatches(handler, context, method=method):
        results.append(result)
        if len(results) >= max_dispatches and checkpoints.is_checkpoint(result):
            raise InlineRunError(
                f"{handler!r} did not end within max_dispatches={max_dispatches}; "
                f"its last checkpoint is at {result.result}"
            )
    return results


def _context(context: StepContext | None, parts: dict[str, Any]) -> StepContext:
    if context is not None and parts:
        raise TypeError(f"Give a context or {', '.join(sorted(parts))}, not both")
    return context or make_context(**parts)


def _dispatches(handler: Any, context: StepContext, *, method: str) -> Iterator[StepHandlerResult]:
    """Yield the results of a handler until one is final."""
    while True:
        result = _call(handler, context, method=method)
        if not checkpoints.is_checkpoint(result):
            yield result
            return
        settings = worker_settings()
        try:
            checkpoint = checkpoints.build_checkpoint(
                result.result or {},
                previous=context.checkpoint,
                history_length=settings.checkpoint_history_length,
                max_bytes=settings.max_checkpoint_bytes,
            )
        except checkpoints.CheckpointRefused as refused:
            yield outcomes.checkpoint_not_written(str(refused)).result
            return
        yield result
        context = context.model_copy(update={"checkpoint": checkpoint})


def _call(handler: Any, context: StepContext, *, method: str) -> StepHandlerResult:
    """Call a handler and return what its report says."""
    found = _find(handler, context, method)
    settings = worker_settings()
    seconds = context.timeout_seconds or settings.default_step_timeout_seconds
    execution = Execution(_claim(context), progress=context.progress, timeout_seconds=seconds)
    watchdog = Watchdog(grace_seconds=settings.timeout_grace_seconds, on_overdue=lambda _: None)
    started_at = timezone.now()
    with closing(watchdog):
        dispatch = Dispatch(execution, _plan(context), found, context)
        outcome = dispatch.call(watchdog, policy=settings.exception_policy)
    report = build_report(
        execution.claim,
        outcome,
        run=Run(started_at, 0, WORKER),
        max_result_bytes=settings.max_result_bytes,
    )
    return _result_of(report)


def _find(handler: Any, context: StepContext, method: str) -> Any:
    """Return the handler as a worker would find it; raises ResolutionError and TypeError."""
    name = handler if isinstance(handler, str) else context.handler_name
    given = {} if isinstance(handler, str) else {name: handler}
    return Handlers(given).locate(
        HandlerDefinition(name, handler_method=method, initialization=context.step_config)
    )


def _result_of(report: StepReport) -> StepHandlerResult:
    """Return the handler's result that a report tells of."""
    told = from_json(report.results)
    metadata = told["metadata"]
    if report.success:
        return StepHandlerResult.build_success(told["result"], metadata["custom"])
    return StepHandlerResult.failure(
        told["error"]["message"],
        metadata["error_type"],
        metadata["retryable"],
        metadata["context"],
        metadata["error_code"],
    )


def _plan(context: StepContext) -> Plan:
    """Return the plan that the step of a context could have."""
    definition = HandlerDefinition(context.handler_name, initialization=context.step_config)
    handler = HandlerSpec.model_construct(callable=context.handler_name)
    step = StepTemplate.model_construct(name=context.template_step_name, handler=handler)
    return Plan(step, definition, None)


def _claim(context: StepContext) -> Claim:
    """Return the claim that a context could have come from."""
    now = timezone.now()
    return Claim(
        msg_id=0,
        workflow_step_uuid=context.step_uuid,
        task_uuid=context.task_uuid,
        state_version=1,
        attempts=context.attempt,
        max_attempts=context.max_retries,
        retryable=True,
        lease_until=now,
        name=context.step_name,
        template_step_name=context.template_step_name,
        step_type="standard",
        timeout_seconds=context.timeout_seconds,
        inputs=context.step_inputs,
        checkpoint=context.checkpoint,
        batch_id=None,
        batch_index=None,
        batch_count=None,
        named_task_uuid=NOBODY,
        named_step_uuid=NOBODY,
        template_digest="",
        namespace=context.namespace,
        task_name=context.task_name,
        task_version=context.task_version,
        context=context.input_data,
        tags=[],
        priority=0,
        initiator=WORKER,
        source_system=WORKER,
        reason="",
        correlation_id=context.correlation_id,
        parent_correlation_id=None,
        task_created_at=now,
        dependency_results=context.dependency_results,
        last_attempted_at=None,
        waited_ms=None,
    )
