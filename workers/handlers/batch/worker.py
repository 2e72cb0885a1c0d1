"""Workers of batches: they read their cursor, go through it, and say what they did."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from workers.context import StepContext
from workers.handlers.batch.models import BatchWorkerOutcome, CursorConfig, RustBatchWorkerInputs
from workers.handlers.batch.worker_context import BatchWorkerContext
from workers.handlers.checkpoint import Checkpoint, yield_checkpoint
from workers.results import StepHandlerResult


class WorkerMixin:
    """Helpers of a class that works on one batch."""

    name: Any

    def get_batch_context(self, context: StepContext) -> BatchWorkerContext | None:
        """Return the batch of this step, None when it has none."""
        return BatchWorkerContext.from_step_context(context)

    def create_batch_context(
        self,
        cursor_config: CursorConfig,
        batch_index: int,
        total_batches: int,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchWorkerContext:
        """Return a batch that no step stands behind."""
        return BatchWorkerContext.by_hand(cursor_config, batch_index, total_batches, batch_metadata)

    def get_batch_worker_inputs(self, context: StepContext) -> RustBatchWorkerInputs | None:
        """Return the inputs of this step typed, None when they do not fit."""
        return RustBatchWorkerInputs.from_step_context(context)

    def handle_no_op_worker(self, context: StepContext) -> StepHandlerResult | None:
        """Return the success of a placeholder instance, None when there is work to do."""
        inputs = context.step_inputs
        if inputs.get("is_no_op") is not True:
            return None
        cursor = inputs.get("cursor")
        batch_id = cursor.get("batch_id") if isinstance(cursor, dict) else None
        return StepHandlerResult.build_success(
            {
                "batch_id": batch_id,
                "no_op": True,
                "processed_count": 0,
                "message": "There was nothing to process.",
                "processed_at": timezone.now().isoformat(),
            }
        )

    def checkpoint_yield(
        self,
        cursor: Any,
        items_processed: int,
        accumulated_results: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Store how far the step is and be called again."""
        return yield_checkpoint(Checkpoint(cursor, items_processed, accumulated_results))

    def create_worker_outcome(  # noqa: PLR0913 - the published signature
        self,
        items_processed: int,
        items_succeeded: int | None = None,
        items_failed: int = 0,
        items_skipped: int = 0,
        results: Sequence[Any] | None = None,
        errors: Sequence[Any] | None = None,
        last_cursor: Any = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchWorkerOutcome:
        """Return what was done; without another number, what was processed has succeeded."""
        return BatchWorkerOutcome(
            items_processed=items_processed,
            items_succeeded=items_processed if items_succeeded is None else items_succeeded,
            items_failed=items_failed,
            items_skipped=items_skipped,
            results=list(results or ()),
            errors=list(errors or ()),
            last_cursor=last_cursor,
            batch_metadata=batch_metadata or {},
        )

    def batch_worker_success(
        self,
        outcome: BatchWorkerOutcome | None = None,
        metadata: dict[str, Any] | None = None,
        items_processed: int | None = None,
        items_succeeded: int | None = None,
        **details: Any,
    ) -> StepHandlerResult:
        """Build the success of a worker, of an outcome or of the keywords of one."""
        if outcome is None:
            if items_processed is None:
                return StepHandlerResult.failure(
                    "batch_worker_success needs an outcome, or items_processed.",
                    "invalid_args",
                    False,
                )
            outcome = self.create_worker_outcome(items_processed, items_succeeded, **details)
        return StepHandlerResult.build_success(
            _as_result(outcome), {**(metadata or {}), "batch_worker": self.name}
        )

    def batch_worker_partial_failure(
        self,
        outcome: BatchWorkerOutcome,
        message: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Build the success of a worker some of whose items failed."""
        said = message or f"{outcome.items_failed} of {outcome.items_processed} items failed."
        result = {
            **_as_result(outcome),
            "partial_failure": True,
            "partial_failure_message": said,
        }
        about = {**(metadata or {}), "batch_worker": self.name, "had_failures": True}
        return StepHandlerResult.build_success(result, about)


def _as_result(outcome: BatchWorkerOutcome) -> dict[str, Any]:
    result = outcome.model_dump(exclude={"results", "errors"})
    if outcome.results:
        result["results"] = outcome.results
    if outcome.errors:
        result["errors"] = outcome.errors
    return result
