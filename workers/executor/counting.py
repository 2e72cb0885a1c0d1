"""What is counted about an attempt whose report was accepted; labels are the template's words."""

from collections import Counter
from collections.abc import Sequence

from pydantic_core import from_json

from orchestration import metrics
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.queries.steps import StepReport
from workers.executor.execution import Execution
from workers.results.models import ErrorType

ERROR_TYPES = frozenset(each.value for each in ErrorType)
OTHER_ERROR = "other"


def count_submission(reports: Sequence[StepReport], *, seconds: float) -> None:
    """Note for each report how long the statement took that stored it."""
    for kind, count in Counter(map(_kind, reports)).items():
        metrics.RESULT_SUBMISSION.observe_all([seconds * 1000] * count, result_type=kind)


def count_report(execution: Execution, report: StepReport, *, is_message: bool) -> None:
    """Count an attempt by how it ended, how long its handler took, and the message about it."""
    claim = execution.claim
    labels = {"namespace": claim.namespace, "step": claim.template_step_name}
    kind = _kind(report)
    metrics.STEPS_SUBMITTED.add(result_type=kind)
    if is_message:
        metrics.MESSAGES_SENT.add(queue=RESULTS_QUEUE)
    result = "timeout" if execution.is_timed_out else kind
    metrics.STEP_EXECUTION.observe(execution.took_ms, **labels, result=result)
    if report.success:
        metrics.STEPS_SUCCEEDED.add(**labels)
    else:
        metrics.STEPS_FAILED.add(**labels, **_failure(report))


def _kind(report: StepReport) -> str:
    return "success" if report.success else "failure"


def _failure(report: StepReport) -> dict[str, str]:
    metadata = from_json(report.results).get("metadata") or {}
    error_type = metadata.get("error_type")
    return {
        "error_type": error_type if error_type in ERROR_TYPES else OTHER_ERROR,
        "retryable": str(metadata.get("retryable") is not False).lower(),
    }
