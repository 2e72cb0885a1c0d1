"""Analysers: they split a data set into cursors; the engine creates a worker for each.

`no_batches_result` and `batches_result` build the wire format, the mixin is what classes use.
"""

from collections.abc import Sequence
from typing import Any

from workers.handlers.batch.models import (
    BatchAnalyzerOutcome,
    BatchWorkerConfig,
    CursorConfig,
    CursorRange,
)
from workers.results import StepHandlerResult


def split_items(total_items: int, batch_size: int) -> list[CursorRange]:
    """Split items into half-open ranges; raises ValueError for a size below 1."""
    if batch_size <= 0:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    starts = range(0, max(total_items, 0), batch_size)
    return [CursorRange(start, min(start + batch_size, total_items)) for start in starts]


def no_batches_result(
    reason: str, details: dict[str, Any] | None = None, *, handler_name: str
) -> StepHandlerResult:
    """Build the success of an analyser that found nothing to do."""
    outcome = {"batch_processing_outcome": {"type": "no_batches"}, "reason": reason}
    return StepHandlerResult.build_success(
        {**outcome, **(details or {})}, {"batch_analyzer": handler_name, "no_batches": True}
    )


def batches_result(
    outcome: BatchAnalyzerOutcome,
    *,
    worker_template: str,
    handler_name: str,
    metadata: dict[str, Any] | None = None,
) -> StepHandlerResult:
    """Build the success of an analyser; an outcome without cursors becomes `no_batches`."""
    details = outcome.batch_metadata
    if not outcome.cursor_configs:
        reason = str(details.get("reason", "empty_dataset"))
        return no_batches_result(reason, details, handler_name=handler_name)
    cursors = [
        _wire(each, batch_id=f"{number:03d}")
        for number, each in enumerate(outcome.cursor_configs, start=1)
    ]
    result: dict[str, Any] = {
        "batch_processing_outcome": {
            "type": "create_batches",
            "worker_template_name": worker_template,
            "worker_count": len(cursors),
            "cursor_configs": cursors,
            "total_items": outcome.item_count,
        },
        "worker_count": len(cursors),
        "total_items": outcome.item_count,
    }
    if details:
        result["batch_metadata"] = details
    return StepHandlerResult.build_success(
        result, {**(metadata or {}), "batch_analyzer": handler_name}
    )


def _wire(cursor: CursorConfig, *, batch_id: str) -> dict[str, Any]:
    found = {
        "batch_id": batch_id,
        "start_cursor": cursor.start_cursor,
        "end_cursor": cursor.end_cursor,
        "batch_size": cursor.batch_size,
    }
    if cursor.step_size != 1:
        found["step_size"] = cursor.step_size
    if cursor.metadata:
        found["metadata"] = cursor.metadata
    return found


class AnalyzerMixin:
    """Helpers of a class that analyses a data set."""

    name: Any

    def create_cursor_config(
        self, start: Any, end: Any, step_size: int = 1, metadata: dict[str, Any] | None = None
    ) -> CursorConfig:
        """Return the cursor of one batch."""
        return CursorConfig(
            start_cursor=start, end_cursor=end, step_size=step_size, metadata=metadata or {}
        )

    def create_cursor_ranges(
        self,
        total_items: int,
        batch_size: int,
        step_size: int = 1,
        max_batches: int | None = None,
    ) -> list[CursorConfig]:
        """Split items into ranges; larger ones where there would be more than `max_batches`."""
        ranges = split_items(total_items, batch_size)
        if max_batches is not None and len(ranges) > max_batches > 0:
            ranges = split_items(total_items, -(-total_items // max_batches))
        return [self.create_cursor_config(each.start, each.end, step_size) for each in ranges]

    def create_cursor_configs(self, total_items: int, worker_count: int) -> list[BatchWorkerConfig]:
        """Share items among workers; those left with nothing are left out."""
        if worker_count <= 0:
            raise ValueError(f"worker_count must be at least 1, not {worker_count}")
        if total_items <= 0:
            return []
        shares = split_items(total_items, -(-total_items // worker_count))
        return [
            BatchWorkerConfig(
                f"{index + 1:03d}", each.start, each.end, each.end - each.start, index, len(shares)
            )
            for index, each in enumerate(shares)
        ]

    def create_batch_outcome(
        self,
        total_items: int,
        batch_size: int,
        step_size: int = 1,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchAnalyzerOutcome:
        """Return the outcome of splitting a number of items."""
        return BatchAnalyzerOutcome(
            cursor_configs=self.create_cursor_ranges(total_items, batch_size, step_size),
            total_items=total_items,
            batch_metadata=batch_metadata or {},
        )

    def create_batch_outcome_from_ranges(
        self,
        ranges: Sequence[tuple[Any, Any]],
        step_size: int = 1,
        total_items: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> BatchAnalyzerOutcome:
        """Return the outcome of (start, end) pairs."""
        return BatchAnalyzerOutcome.from_ranges(ranges, step_size, total_items, batch_metadata)

    def batch_analyzer_success(
        self,
        outcome: BatchAnalyzerOutcome | None = None,
        metadata: dict[str, Any] | None = None,
        worker_template_name: str = "batch_worker",
        cursor_configs: Sequence[CursorConfig] | None = None,
        total_items: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Build the success of an analyser, of an outcome or of its parts."""
        if outcome is None:
            if cursor_configs is None:
                return self.no_batches_outcome("no_cursor_configs_provided", metadata)
            outcome = BatchAnalyzerOutcome(
                cursor_configs=list(cursor_configs),
                total_items=total_items,
                batch_metadata=batch_metadata or {},
            )
        return batches_result(
            outcome,
            worker_template=worker_template_name,
            handler_name=self.name,
            metadata=metadata,
        )

    def no_batches_outcome(
        self, reason: str, metadata: dict[str, Any] | None = None
    ) -> StepHandlerResult:
        """Build the success of an analyser that found nothing to do."""
        return no_batches_result(reason, metadata, handler_name=self.name)
