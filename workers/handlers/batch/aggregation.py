"""The step behind the batches: it finds what the workers did and adds it up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from workers.context import unwrap_result
from workers.results import StepHandlerResult

MAX_ERRORS = 100

BatchResults = dict[str, Any]
Aggregate = Callable[[BatchResults], dict[str, Any]]


@dataclass
class BatchAggregationScenario:
    """Whether there were batches, and what their workers gave back."""

    is_no_batches: bool
    batchable_result: Any
    batch_results: BatchResults = field(default_factory=dict)
    worker_count: int = -1
    """How many workers there were; counted where it is not given."""

    def __post_init__(self) -> None:
        """Count the workers."""
        if self.worker_count < 0:
            self.worker_count = len(self.batch_results)

    @classmethod
    def detect(
        cls,
        dependency_results: Mapping[str, Any],
        batchable_step_name: str,
        batch_worker_prefix: str,
    ) -> "BatchAggregationScenario":
        """Look at the results of earlier steps; ValueError when they are no batches at all."""
        results = {name: unwrap_result(dependency_results[name]) for name in dependency_results}
        analysed = results.get(batchable_step_name)
        if analysed is None:
            raise ValueError(f"There is no result of the batchable step '{batchable_step_name}'.")
        outcome = analysed.get("batch_processing_outcome") if isinstance(analysed, dict) else None
        if isinstance(outcome, dict) and outcome.get("type") == "no_batches":
            return cls(True, analysed)
        found = {
            name: result for name, result in results.items() if name.startswith(batch_worker_prefix)
        }
        if not found:
            raise ValueError(
                f"'{batchable_step_name}' created batches, but no step's name begins with "
                f"'{batch_worker_prefix}'; there are {', '.join(results)}."
            )
        return cls(False, analysed, found)

    def no_batches(self) -> bool:
        """Say whether the analyser found nothing to do."""
        return self.is_no_batches


class BatchAggregationResult(BaseModel):
    """The sums over all workers; `errors` holds the first ones, `error_count` counts all."""

    total_processed: int = 0
    total_succeeded: int = 0
    total_failed: int = 0
    total_skipped: int = 0
    batch_count: int = 0
    success_rate: float = 0.0
    errors: list[Any] = Field(default_factory=list)
    error_count: int = 0


def aggregate_batch_results(
    worker_results: Iterable[Mapping[str, Any] | None], max_errors: int = MAX_ERRORS
) -> BatchAggregationResult:
    """Add up what workers gave back; `batch_count` counts those without a result too."""
    results = list(worker_results)
    given = [each for each in results if each is not None]
    errors = [error for each in given for error in each.get("errors") or ()]
    processed = _sum(given, "items_processed")
    succeeded = _sum(given, "items_succeeded")
    return BatchAggregationResult(
        total_processed=processed,
        total_succeeded=succeeded,
        total_failed=_sum(given, "items_failed"),
        total_skipped=_sum(given, "items_skipped"),
        batch_count=len(results),
        success_rate=succeeded / processed if processed else 0.0,
        errors=errors[:max_errors],
        error_count=len(errors),
    )


def _sum(results: Iterable[Mapping[str, Any]], key: str) -> int:
    return sum(each.get(key) or 0 for each in results)


class AggregatorMixin:
    """Helpers of a class that adds up what workers did."""

    def detect_aggregation_scenario(
        self,
        dependency_results: Mapping[str, Any],
        batchable_step_name: str,
        batch_worker_prefix: str,
    ) -> BatchAggregationScenario:
        """Say whether there were batches, and what their workers gave back."""
        return BatchAggregationScenario.detect(
            dependency_results, batchable_step_name, batch_worker_prefix
        )

    def no_batches_aggregation_result(
        self, zero_metrics: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """Build the success for no batches at all."""
        return StepHandlerResult.build_success(
            {"worker_count": 0, "scenario": "no_batches", **(zero_metrics or {})}
        )

    def aggregate_batch_worker_results(
        self,
        scenario: BatchAggregationScenario,
        zero_metrics: dict[str, Any] | None = None,
        aggregation_fn: Aggregate | None = None,
    ) -> StepHandlerResult:
        """Build the success of adding up, by a function of one's own if one is given."""
        if scenario.is_no_batches:
            return self.no_batches_aggregation_result(zero_metrics)
        found = scenario.batch_results
        added = {"batch_results": found} if aggregation_fn is None else aggregation_fn(found)
        return StepHandlerResult.build_success(
            {**added, "worker_count": scenario.worker_count, "scenario": "with_batches"}
        )

    @staticmethod
    def aggregate_worker_results(
        worker_results: Iterable[Mapping[str, Any] | None],
    ) -> dict[str, Any]:
        """Add up what workers gave back, as a dict."""
        return aggregate_batch_results(worker_results).model_dump()
