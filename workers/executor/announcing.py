"""The signals of one execution; without receivers each costs one look."""

from typing import Any

from pydantic_core import from_json

from orchestration.queries.steps import StepReport
from workers import signals
from workers.context import StepContext
from workers.executor.execution import Execution
from workers.results import StepError, StepExecutionResult


def received(context: StepContext) -> None:
    """Say that a claim is about to run."""
    signals.announce(signals.step_execution_received, Execution, lambda: {"event": context.event})


def checkpointed(execution: Execution) -> None:
    """Say that a checkpoint is stored."""
    context, checkpoint = execution.context, execution.checkpoint
    if context is not None:
        signals.announce(
            signals.step_checkpoint_yield_sent,
            Execution,
            lambda: {"event": context.event, "checkpoint": checkpoint},
        )


def reported(execution: Execution, report: StepReport) -> None:
    """Say that a report is stored, and what the handler raised, if it did."""
    context, error = execution.context, execution.error
    if context is None:
        return
    signals.announce(
        signals.step_completion_sent,
        Execution,
        lambda: {"event": context.event, "result": execution_result(execution, report)},
    )
    if error is not None:
        signals.announce(
            signals.handler_error, Execution, lambda: {"event": context.event, "error": error}
        )


def execution_result(execution: Execution, report: StepReport) -> StepExecutionResult:
    """Return a report in the published shape."""
    stored = from_json(report.results)
    metadata = stored["metadata"]
    about: dict[str, Any] = {
        "step_uuid": execution.claim.workflow_step_uuid,
        "task_uuid": execution.claim.task_uuid,
        "execution_time_ms": metadata["execution_time_ms"],
        "worker_id": metadata["worker_id"],
        "correlation_id": execution.claim.correlation_id,
    }
    if report.success:
        return StepExecutionResult.success_result(
            result=stored["result"], metadata=metadata["custom"], **about
        )
    error = StepError(
        error_type=metadata["error_type"],
        message=stored["error"]["message"],
        stack_trace="\n".join(stored["error"]["backtrace"]) or None,
        retryable=metadata["retryable"],
        metadata=metadata["context"],
    )
    return StepExecutionResult.failure_result(error=error, **about)
