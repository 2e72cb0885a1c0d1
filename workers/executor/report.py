"""From an outcome to the report that goes to the database: pure functions.

The shape is engine.md 6.3. What cannot be stored becomes a permanent failure that can.
"""

import socket
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone
from pydantic_core import from_json

from orchestration.queries.steps import Claim, StepReport
from workers.executor import outcome as outcomes
from workers.executor.outcome import Outcome
from workers.results.json_text import NotSerializable, clean, dump

# The engine clamps a wish to max_requested_backoff_seconds; this only keeps numbers sane.
LONGEST_DELAY_SECONDS = 10**9

# Returns why a result does not match its schema, None when it does.
CheckResult = Callable[[Any], str | None]


class Run(NamedTuple):
    """When and by whom a dispatch was run."""

    started_at: datetime
    execution_time_ms: int
    worker_id: str
    hostname: str = socket.gethostname()


def build_report(
    claim: Claim,
    outcome: Outcome,
    *,
    run: Run,
    max_result_bytes: int,
    check_result: CheckResult | None = None,
) -> StepReport:
    """Turn an outcome into a report; what JSON or a limit refuses becomes a permanent failure."""
    outcome = _checked(outcome, check_result)
    was_success = outcome.result.is_success
    try:
        text = dump(_execution_result(claim.workflow_step_uuid, outcome, run))
        size_bytes = _payload_size(outcome, len(text), max_result_bytes)
    except NotSerializable as error:
        outcome = outcomes.not_serializable(str(error), was_success=was_success)
        text = dump(_execution_result(claim.workflow_step_uuid, outcome, run))
        size_bytes = 0
    if size_bytes > max_result_bytes:
        outcome = outcomes.too_large(
            size_bytes, max_bytes=max_result_bytes, was_success=was_success
        )
        text = dump(_execution_result(claim.workflow_step_uuid, outcome, run))
    return StepReport(
        claim.workflow_step_uuid, claim.state_version, outcome.result.is_success, text.decode()
    )


def _checked(outcome: Outcome, check_result: CheckResult | None) -> Outcome:
    if check_result is None or not outcome.result.is_success:
        return outcome
    try:
        why = check_result(from_json(dump(outcome.result.result)))
    except NotSerializable:
        return outcome  # the report itself will say so
    return outcome if why is None else outcomes.schema_mismatch(why)


def _payload_size(outcome: Outcome, size_bytes: int, max_bytes: int) -> int:
    """Return the bytes of what the handler gave; the frame around it does not count."""
    if size_bytes <= max_bytes:
        return size_bytes
    return len(dump(outcome.result.result)) + len(dump(outcome.result.metadata))


def _execution_result(step_uuid: UUID, outcome: Outcome, run: Run) -> dict[str, Any]:
    result = outcome.result
    is_success = result.is_success
    given = result.metadata
    return {
        "step_uuid": step_uuid,
        "success": is_success,
        "status": _status(outcome),
        "result": (result.result or {}) if is_success else {},
        "metadata": {
            "execution_time_ms": run.execution_time_ms,
            "started_at": run.started_at.isoformat(),
            "completed_at": timezone.now().isoformat(),
            "worker_id": run.worker_id,
            "worker_hostname": run.hostname,
            "handler_version": outcome.handler_version,
            "retryable": result.retryable,
            "error_type": None if is_success else _error_type(outcome),
            "error_code": None if is_success else _error_code(outcome),
            "custom": given if is_success else {},
            "context": {} if is_success else _cleaned(given),
        },
        "error": None if is_success else _error(outcome),
        "orchestration_metadata": {
            "headers": {} if is_success else _headers(given),
            "backoff_hint": None if is_success else backoff_hint(given),
            "error_context": None,
            "custom": {},
        },
    }


def _status(outcome: Outcome) -> str:
    if outcome.result.is_success:
        return "completed"
    return "error" if outcome.is_made_by_worker else "failed"


def _error_type(outcome: Outcome) -> str:
    return clean(outcome.result.error_type or "handler_error")


def _error_code(outcome: Outcome) -> str | None:
    code = outcome.result.error_code or outcome.result.metadata.get("error_code")
    return clean(code) if isinstance(code, str) else None


def _error(outcome: Outcome) -> dict[str, Any]:
    result = outcome.result
    trace = result.metadata.get("traceback")
    status_code = result.metadata.get("status_code")
    context = result.metadata.get("context")
    return {
        "message": clean(result.error_message or "The handler failed without a message."),
        "error_type": _error_type(outcome),
        "backtrace": clean(trace).splitlines() if isinstance(trace, str) else [],
        "retryable": result.retryable,
        "status_code": status_code if isinstance(status_code, int) else None,
        "context": context if isinstance(context, dict) else {},
    }


def _cleaned(metadata: dict[str, Any]) -> dict[str, Any]:
    trace = metadata.get("traceback")
    return {**metadata, "traceback": clean(trace)} if isinstance(trace, str) else metadata


def _headers(metadata: dict[str, Any]) -> dict[str, Any]:
    headers = metadata.get("headers")
    return headers if isinstance(headers, dict) else {}


def backoff_hint(metadata: dict[str, Any]) -> dict[str, Any] | None:
    """Return the delay that a failure asks for, None when it asks for none that is readable."""
    headers = {str(key).lower(): value for key, value in _headers(metadata).items()}
    wishes = (
        metadata.get("retry_after"),
        metadata.get("retry_after_seconds"),
        headers.get("retry-after"),
    )
    for wish in wishes:
        seconds = _seconds(wish)
        if seconds is not None:
            return {"backoff_type": "ServerRequested", "delay_seconds": seconds, "context": None}
    return None


def _seconds(wish: Any) -> int | float | None:
    """Read seconds or an HTTP date; None when it is unreadable or past."""
    if isinstance(wish, bool):
        return None
    if isinstance(wish, int):
        return min(max(wish, 0), LONGEST_DELAY_SECONDS)
    if isinstance(wish, float):
        return min(max(wish, 0.0), LONGEST_DELAY_SECONDS) if isfinite(wish) else None
    if not isinstance(wish, str):
        return None
    try:
        number = float(wish)
    except ValueError:
        return _seconds_until(wish)
    return _seconds(int(number) if number.is_integer() else number)


def _seconds_until(text: str) -> int | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    left = (moment - timezone.now()).total_seconds()
    return round(left) if left > 0 else None
