"""Batches: an analyser splits a data set into cursors, workers run one cursor each.

This module builds the wire format of the outcome and reads a worker's cursor; instances are
created by the engine (`engine.md` chapter 10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workers.context import StepContext
from workers.handlers.checkpoint import Checkpoint, yield_checkpoint
from workers.results import StepHandlerResult


@dataclass(frozen=True)
class BatchConfig:
    """What a decorated batch analyser returns: so many items, so many in each batch."""

    total_items: int
    batch_size: int
    metadata: dict[str, Any] = field(default_factory=dict)


class CursorRange(NamedTuple):
    """A half-open range of items."""

    start: int
    end: int


@dataclass
class CursorConfig:
    """The part of the data set that one batch works on; the cursors may be any JSON."""

    start_cursor: Any
    end_cursor: Any
    step_size: int = 1
    metadata: dict[str, Any] = field(default_factory=dict)


def split_items(total_items: int, batch_size: int) -> list[CursorRange]:
    """Split items into half-open ranges; raises ValueError for a size below 1."""
    if batch_size <= 0:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    starts = range(0, max(total_items, 0), batch_size)
    return [CursorRange(start, min(start + batch_size, total_items)) for start in starts]


def no_batches_result(details: dict[str, Any], *, handler_name: str) -> StepHandlerResult:
    """Build the success of an analyser that found nothing to do."""
    reason = details.pop("reason", "empty_dataset")
    result = {"batch_processing_outcome": {"type": "no_batches"}, "reason": reason, **details}
    return StepHandlerResult.build_success(
        result, {"batch_analyzer": handler_name, "no_batches": True}
    )


def batches_result(
    ranges: Sequence[CursorRange],
    *,
    worker_template: str,
    handler_name: str,
    metadata: dict[str, Any] | None = None,
) -> StepHandlerResult:
    """Build the success of an analyser; no ranges make the outcome `no_batches`."""
    details = dict(metadata or {})
    if not ranges:
        return no_batches_result(details, handler_name=handler_name)
    cursors = [
        {
            "batch_id": f"{number:03d}",
            "start_cursor": each.start,
            "end_cursor": each.end,
            "batch_size": each.end - each.start,
        }
        for number, each in enumerate(ranges, start=1)
    ]
    outcome = {
        "type": "create_batches",
        "worker_template_name": worker_template,
        "worker_count": len(cursors),
        "cursor_configs": cursors,
        "total_items": sum(each.end - each.start for each in ranges),
    }
    result = {
        "batch_processing_outcome": outcome,
        "worker_count": len(cursors),
        "total_items": outcome["total_items"],
    }
    if details:
        result["batch_metadata"] = details
    return StepHandlerResult.build_success(result, {"batch_analyzer": handler_name})


@dataclass
class BatchWorkerContext:
    """The batch that a worker instance runs."""

    batch_id: str
    cursor_config: CursorConfig
    batch_index: int = 0
    total_batches: int = 1
    batch_metadata: dict[str, Any] = field(default_factory=dict)
    checkpoint: dict[str, Any] | None = None

    @classmethod
    def from_step_context(cls, context: StepContext) -> "BatchWorkerContext | None":
        """Read the batch of a step, from its inputs or from a map `batch_context`; None without."""
        cursor = context.step_inputs.get("cursor")
        if isinstance(cursor, dict):
            metadata = context.step_inputs.get("batch_metadata") or {}
            return cls(
                str(cursor.get("batch_id", "")),
                _cursor_config(cursor),
                metadata.get("batch_index") or 0,
                metadata.get("total_batches") or 1,
                dict(metadata),
                context.checkpoint,
            )
        given = context.get_config("batch_context") or context.get_input("batch_context")
        if not isinstance(given, dict):
            return None
        return cls(
            str(given.get("batch_id", "")),
            _cursor_config(given.get("cursor_config") or {}),
            given.get("batch_index") or 0,
            given.get("total_batches") or 1,
            dict(given.get("batch_metadata") or {}),
            context.checkpoint,
        )

    @property
    def start_cursor(self) -> Any:
        """First item of the batch."""
        return self.cursor_config.start_cursor

    @property
    def end_cursor(self) -> Any:
        """First item behind the batch."""
        return self.cursor_config.end_cursor

    @property
    def step_size(self) -> int:
        """Items to take at once."""
        return self.cursor_config.step_size

    @property
    def checkpoint_cursor(self) -> Any:
        """Where the last checkpoint stopped, None without one."""
        return (self.checkpoint or {}).get("cursor")

    @property
    def checkpoint_items_processed(self) -> int:
        """Items processed up to the last checkpoint."""
        return int((self.checkpoint or {}).get("items_processed") or 0)

    @property
    def accumulated_results(self) -> Any:
        """What the last checkpoint carried along, None without one."""
        return (self.checkpoint or {}).get("accumulated_results")

    def has_checkpoint(self) -> bool:
        """Say whether a checkpoint with a cursor exists."""
        return self.checkpoint_cursor is not None


class Batchable:
    """Helpers of a class that analyses or works on batches."""

    def get_batch_context(self, context: StepContext) -> BatchWorkerContext | None:
        """Return the batch of this step, None when it has none."""
        return BatchWorkerContext.from_step_context(context)

    def checkpoint_yield(
        self,
        cursor: Any,
        items_processed: int,
        accumulated_results: dict[str, Any] | None = None,
    ) -> StepHandlerResult:
        """Store how far the step is and be called again."""
        return yield_checkpoint(Checkpoint(cursor, items_processed, accumulated_results))


def _cursor_config(cursor: Mapping[str, Any]) -> CursorConfig:
    return CursorConfig(
        cursor.get("start_cursor"),
        cursor.get("end_cursor"),
        cursor.get("step_size") or cursor.get("batch_size") or 1,
        dict(cursor.get("metadata") or {}),
    )
