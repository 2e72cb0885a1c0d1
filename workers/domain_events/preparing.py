"""From a report to the events that go with it, before anything is stored.

Publishers run here, so it may take as long as foreign code takes; the executor gives it a deadline.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json

from orchestration.messaging.messages import events_queue
from orchestration.queries.steps import Claim, StepEvent, StepReport
from workers.domain_events.declarations import Declared, effective_outcome
from workers.domain_events.models import ExecutionResult, InProcessDomainEvent, StepEventContext
from workers.domain_events.publisher_registry import PublisherRegistry
from workers.domain_events.publishers import (
    BasePublisher,
    Fired,
    fire,
    make_event,
    report_failure,
)
from workers.results.json_text import dump


class PreparedEvent(NamedTuple):
    """One event on its way; `durable` is what the report carries to the queue."""

    declared: Declared
    publisher: BasePublisher
    fired: Fired
    event: InProcessDomainEvent
    durable: StepEvent | None


def prepare(
    declared: Sequence[Declared],
    *,
    claim: Claim,
    report: StepReport,
    task_sequence_step: bytes,
    is_over: Callable[[], bool],
) -> Iterator[PreparedEvent]:
    """Yield the events that belong to a report's outcome; one that fails is logged and left out.

    `is_over` says that the time is up: publishers of the rest are not called any more.
    """
    metadata = from_json(report.results).get("metadata") or {}
    outcome = effective_outcome(
        success=report.success,
        retryable=metadata.get("retryable") is not False,
        has_attempts_left=claim.retryable and claim.attempts < claim.max_attempts,
    )
    registry = PublisherRegistry.instance()
    for each in declared:
        if not each.fires_on(outcome):
            continue
        publisher = registry.get_or_default(each.publisher)
        if is_over():
            error = TimeoutError("no time was left: a publisher before it took too long")
            report_failure(publisher, each.name, error, {})
            continue
        found = _prepare(each, publisher, claim, report, task_sequence_step)
        if found is not None:
            yield found


def _prepare(
    declared: Declared,
    publisher: BasePublisher,
    claim: Claim,
    report: StepReport,
    task_sequence_step: bytes,
) -> PreparedEvent | None:
    stored = from_json(report.results)  # each publisher gets a copy of its own
    ctx = _context(claim, stored)
    fired = fire(publisher, ctx, declared.name, check=declared.check)
    if fired is None:
        return None
    try:
        event = make_event(publisher, ctx, declared.name, fired, _short(stored))
        durable = None
        if declared.is_durable:
            message = _durable_message(event, report.results, task_sequence_step)
            durable = StepEvent(event.event_id, events_queue(claim.namespace), message)
    except Exception as error:  # noqa: BLE001 - nothing an event does can fail a step
        report_failure(publisher, declared.name, error, fired.payload)
        return None
    return PreparedEvent(declared, publisher, fired, event, durable)


def _context(claim: Claim, stored: dict[str, Any]) -> StepEventContext:
    metadata, error = stored["metadata"], stored["error"] or {}
    said = metadata["custom"] if stored["success"] else metadata["context"]
    about = {
        "attempt": claim.attempts,
        "error_type": metadata["error_type"],
        "error_code": metadata["error_code"],
        "error_message": error.get("message"),
    }
    return StepEventContext(
        task_uuid=str(claim.task_uuid),
        step_uuid=str(claim.workflow_step_uuid),
        step_name=claim.name,
        namespace=claim.namespace,
        correlation_id=str(claim.correlation_id),
        result=stored["result"],
        metadata={**said, **about},
    )


def _short(stored: dict[str, Any]) -> ExecutionResult:
    return ExecutionResult(
        success=stored["success"],
        result=stored["result"],
        error_message=(stored["error"] or {}).get("message"),
        error_type=stored["metadata"]["error_type"],
        execution_time_ms=stored["metadata"]["execution_time_ms"],
    )


def _durable_message(event: InProcessDomainEvent, results: str, step: bytes) -> str:
    """Return the event with its payload wrapped together with step and whole execution result.

    Both are JSON text already; putting the texts together spares parsing and writing them again.
    """
    frame = event.model_dump(mode="json", exclude={"payload"})
    payload = b'{"task_sequence_step":%b,"execution_result":%b,"payload":%b}' % (
        step,
        results.encode(),
        dump(event.payload),
    )
    return (dump(frame)[:-1] + b',"payload":' + payload + b"}").decode()
