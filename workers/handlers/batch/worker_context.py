"""`BatchWorkerContext`: the batch that a worker instance runs."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, Field

from workers.context import StepContext
from workers.context.raw_event import mapping
from workers.handlers.batch.models import CursorConfig


class BatchWorkerContext(BaseModel):
    """Cursor, place among the batches, and checkpoint of a worker instance."""

    batch_id: str
    cursor_config: CursorConfig
    batch_index: int = 0
    total_batches: int = 1
    batch_metadata: dict[str, Any] = Field(default_factory=dict)
    checkpoint: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def from_step_context(cls, step_context: StepContext) -> "BatchWorkerContext | None":
        """Read the batch of a step, from its inputs or from a map `batch_context`; None without."""
        cursor = step_context.step_inputs.get("cursor")
        if isinstance(cursor, dict):
            metadata = mapping(step_context.step_inputs, "batch_metadata")
            return cls._build(cursor.get("batch_id"), cursor, metadata, metadata, step_context)
        given = step_context.get_config("batch_context") or step_context.get_input("batch_context")
        if not isinstance(given, dict):
            return None
        cursor, metadata = mapping(given, "cursor_config"), mapping(given, "batch_metadata")
        return cls._build(given.get("batch_id"), cursor, given, metadata, step_context)

    @classmethod
    def by_hand(
        cls,
        cursor_config: CursorConfig,
        batch_index: int,
        total_batches: int,
        batch_metadata: dict[str, Any] | None = None,
    ) -> "BatchWorkerContext":
        """Build one that no step stands behind, with a random id."""
        return cls(
            batch_id=str(uuid4()),
            cursor_config=cursor_config,
            batch_index=batch_index,
            total_batches=total_batches,
            batch_metadata=batch_metadata or {},
        )

    @classmethod
    def _build(
        cls,
        batch_id: Any,
        cursor: Mapping[str, Any],
        place: Mapping[str, Any],
        metadata: Mapping[str, Any],
        context: StepContext,
    ) -> "BatchWorkerContext":
        return cls(
            batch_id="" if batch_id is None else str(batch_id),
            cursor_config=CursorConfig(
                start_cursor=cursor.get("start_cursor"),
                end_cursor=cursor.get("end_cursor"),
                step_size=_whole(cursor, "step_size") or _whole(cursor, "batch_size") or 1,
                metadata=mapping(cursor, "metadata"),
            ),
            batch_index=_whole(place, "batch_index") or 0,
            total_batches=_whole(place, "total_batches") or 1,
            batch_metadata=dict(metadata),
            checkpoint=context.checkpoint or {},
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
        return self.checkpoint.get("cursor")

    @property
    def checkpoint_items_processed(self) -> int:
        """Items processed up to the last checkpoint."""
        return int(self.checkpoint.get("items_processed") or 0)

    @property
    def accumulated_results(self) -> Any:
        """What the last checkpoint carried along, None without one."""
        return self.checkpoint.get("accumulated_results")

    def has_checkpoint(self) -> bool:
        """Say whether a checkpoint with a cursor exists."""
        return self.checkpoint_cursor is not None


def _whole(source: Mapping[str, Any], key: str) -> int | None:
    value = source.get(key)
    return value if type(value) is int else None
