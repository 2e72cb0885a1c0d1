"""What is counted about an attempt whose report was accepted; labels are the template's words."""

from collections import Counter, defaultdict
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


def count_reports(ended: Sequence[tuple[Execution, StepReport]], *, messages: int) -> None:
    """Count attempts by how they ended, how long their handlers took, and messages about them."""
    for kind, count in Counter(_kind(report) for _, report in ended).items():
        metrics.STEPS_SUBMITTED.add(count, result_type=kind)
    if messages:
        metrics.MESSAGES_SENT.add(messages, queue=RESULTS_QUEUE)
    times: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    for execution, report in ended:
        claim, kind = execution.claim, _kind(report)
        result = "timeout" if execution.is_timed_out else kind
        times[claim.namespace, claim.template_step_name, result].append(execution.took_ms)
    for (namespace, step, result), took_ms in times.items():
        metrics.STEP_EXECUTION.observe_all(took_ms, namespace=namespace, step=step, result=result)
    _count_ends(ended)


def _count_ends(ended: Sequence[tuple[Execution, StepReport]]) -> None:
    successes = Counter(
        (execution.claim.namespace, execution.claim.template_step_name)
        for execution, report in ended
        if report.success
    )
    for (namespace, step), count in successes.items():
        metrics.STEPS_SUCCEEDED.add(count, namespace=namespace, step=step)
    for execution, report in ended:
        if not report.success:
            claim = execution.claim
            labels = {"namespace": claim.namespace, "step": claim.template_step_name}
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
