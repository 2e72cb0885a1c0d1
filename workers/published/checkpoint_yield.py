"""The published example of checkpoints: one batch whose worker stores how far it is.

Inputs of the task: `total_items` (100), `items_per_checkpoint` (25), and to try failures out
`fail_after_items`, `fail_on_attempt` (1), `permanent_failure` (false). An item's value is twice its
index, so that a lost or doubled item shows in `running_total`.
"""

from typing import Any

from workers.context import StepContext
from workers.handlers.base import StepHandler
from workers.handlers.batch import Batchable, BatchAggregationScenario, BatchWorkerContext
from workers.results import ErrorType, StepHandlerResult

PACKAGE = "tasker_core.examples.checkpoint_yield"
ANALYZER_STEP = "analyze_items_py"
WORKER_STEP = "checkpoint_yield_batch_py"
TOTAL_ITEMS = 100
ITEMS_PER_CHECKPOINT = 25


class CheckpointYieldAnalyzerHandler(StepHandler, Batchable):
    """Puts all items into one batch."""

    handler_name = f"{PACKAGE}.CheckpointYieldAnalyzerHandler"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Return the batch, or no batches without items."""
        total_items = context.get_input_or("total_items", TOTAL_ITEMS)
        if total_items <= 0:
            return self.no_batches_outcome(reason="no_items_to_process")
        return self.batch_analyzer_success(
            worker_template_name=context.get_config("worker_template_name") or WORKER_STEP,
            cursor_configs=[self.create_cursor_config(0, total_items)],
            total_items=total_items,
            batch_metadata={"test_type": "checkpoint_yield", "items_per_batch": total_items},
        )


class CheckpointYieldWorkerHandler(StepHandler, Batchable):
    """Goes through a batch, and stores where it is after so many items."""

    handler_name = f"{PACKAGE}.CheckpointYieldWorkerHandler"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Process items until the next checkpoint, the injected failure or the end."""
        if (no_op := self.handle_no_op_worker(context)) is not None:
            return no_op
        batch = self.get_batch_context(context)
        if batch is None:
            return self.failure("The step has no batch", ErrorType.VALIDATION_ERROR, False)
        return self._process(context, batch)

    def _process(self, context: StepContext, batch: BatchWorkerContext) -> StepHandlerResult:
        per_checkpoint = max(1, context.get_input_or("items_per_checkpoint", ITEMS_PER_CHECKPOINT))
        start = batch.checkpoint_cursor if batch.has_checkpoint() else batch.start_cursor
        done = batch.checkpoint_items_processed
        before = batch.accumulated_results or {}
        total, ids = before.get("running_total", 0), list(before.get("item_ids", []))
        for cursor in range(start, batch.end_cursor):
            if self._must_fail(context, done):
                return self._fail(context, done, cursor)
            item = self._item(cursor)
            total, ids, done = total + item["value"], [*ids, item["id"]], done + 1
            if done % per_checkpoint == 0 and cursor + 1 < batch.end_cursor:
                return self.checkpoint_yield(
                    cursor + 1, done, {"running_total": total, "item_ids": ids}
                )
        return self.batch_worker_success(
            items_processed=done,
            items_succeeded=done,
            results=[{"running_total": total, "item_ids": ids}],
            last_cursor=batch.end_cursor,
            batch_metadata={
                "final_cursor": batch.end_cursor,
                "checkpoints_used": (done - 1) // per_checkpoint,
            },
        )

    @staticmethod
    def _item(cursor: int) -> dict[str, Any]:
        return {"id": f"item_{cursor:04d}", "value": 2 * cursor}

    @staticmethod
    def _must_fail(context: StepContext, done: int) -> bool:
        limit = context.get_input("fail_after_items")
        is_its_turn = context.attempt == context.get_input_or("fail_on_attempt", 1)
        return limit is not None and is_its_turn and done >= limit

    def _fail(self, context: StepContext, done: int, cursor: int) -> StepHandlerResult:
        is_permanent = bool(context.get_input_or("permanent_failure", False))
        kind = "permanent" if is_permanent else "retryable"
        return self.failure(
            f"Injected {kind} failure after {done} items",
            ErrorType.PERMANENT_ERROR if is_permanent else ErrorType.RETRYABLE_ERROR,
            retryable=not is_permanent,
            metadata={"items_processed": done, "cursor_at_failure": cursor, "failure_type": kind},
        )


class CheckpointYieldAggregatorHandler(StepHandler, Batchable):
    """Adds up what the workers of all batches did."""

    handler_name = f"{PACKAGE}.CheckpointYieldAggregatorHandler"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Return the totals, zeros where there was nothing to do."""
        scenario = self.detect_aggregation_scenario(
            context.dependency_results,
            context.get_config("analyzer_step_name") or ANALYZER_STEP,
            context.get_config("worker_template_name") or WORKER_STEP,
        )
        if scenario.is_no_batches:
            return self.success(
                {
                    "total_processed": 0,
                    "running_total": 0,
                    "test_passed": True,
                    "scenario": "no_batches",
                }
            )
        return self.success(self._totals(scenario))

    @staticmethod
    def _totals(scenario: BatchAggregationScenario) -> dict[str, Any]:
        workers = list(scenario.batch_results.values())
        parts = [part for each in workers for part in each.get("results") or ()]
        metadata = [each.get("batch_metadata") or {} for each in workers]
        processed = sum(each.get("items_processed", 0) for each in workers)
        ids = [item for part in parts for item in part["item_ids"]]
        return {
            "total_processed": processed,
            "running_total": sum(part["running_total"] for part in parts),
            "item_count": len(ids),
            "checkpoints_used": sum(each.get("checkpoints_used", 0) for each in metadata),
            "worker_count": scenario.worker_count,
            "test_passed": processed == len(set(ids)),
            "scenario": "with_batches",
        }
