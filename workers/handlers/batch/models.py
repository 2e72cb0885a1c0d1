"""The shapes of batches: cursors, outcomes of analysers and workers, what a worker is given.

Pydantic models, as published: build them by keyword. Cursor values may be any JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.context import StepContext


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


@dataclass(frozen=True)
class BatchWorkerConfig:
    """The share of one of several workers that divide a number of items."""

    batch_id: str
    cursor_start: int
    cursor_end: int
    row_count: int
    worker_index: int
    total_workers: int

    def to_dict(self) -> dict[str, Any]:
        """Return the share as JSON values."""
        return asdict(self)


class CursorConfig(BaseModel):
    """The part of the data set that one batch works on."""

    start_cursor: Any
    end_cursor: Any
    step_size: int = 1
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def batch_size(self) -> int:
        """How many items the cursors span; the step size where they are no whole numbers."""
        start, end = self.start_cursor, self.end_cursor
        if type(start) is int and type(end) is int:
            return end - start
        return self.step_size


class BatchAnalyzerOutcome(BaseModel):
    """What an analyser found: the cursors of its batches."""

    cursor_configs: list[CursorConfig] = Field(default_factory=list)
    total_items: int | None = None
    batch_metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def item_count(self) -> int:
        """How many items there are; without a given total, the batches are added up."""
        if self.total_items is not None:
            return self.total_items
        return sum(each.batch_size for each in self.cursor_configs)

    @classmethod
    def from_ranges(
        cls,
        ranges: Sequence[tuple[Any, Any]],
        step_size: int = 1,
        total_items: int | None = None,
        batch_metadata: dict[str, Any] | None = None,
    ) -> "BatchAnalyzerOutcome":
        """Build it from (start, end) pairs; without a total, their spans are added up."""
        cursors = [
            CursorConfig(start_cursor=start, end_cursor=end, step_size=step_size)
            for start, end in ranges
        ]
        found = cls(
            cursor_configs=cursors, total_items=total_items, batch_metadata=batch_metadata or {}
        )
        found.total_items = found.item_count
        return found


class BatchWorkerOutcome(BaseModel):
    """What a worker did with its batch."""

    items_processed: int = 0
    items_succeeded: int = 0
    items_failed: int = 0
    items_skipped: int = 0
    results: list[Any] = Field(default_factory=list)
    errors: list[Any] = Field(default_factory=list)
    last_cursor: Any = None
    batch_metadata: dict[str, Any] = Field(default_factory=dict)


class FailureStrategy(StrEnum):
    """What a worker does about an item that fails; the engine leaves it to the handler."""

    CONTINUE_ON_FAILURE = "continue_on_failure"
    FAIL_FAST = "fail_fast"
    ISOLATE = "isolate"

    @classmethod
    def _missing_(cls, value: object) -> "FailureStrategy | None":
        """Accept the spelling `ContinueOnFailure` too."""
        wanted = str(value).replace("_", "").lower()
        return next((each for each in cls if each.value.replace("_", "") == wanted), None)


class RustCursorConfig(BaseModel):
    """The cursor of a batch, as it stands in the inputs of its worker."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    batch_id: str
    start_cursor: Any
    end_cursor: Any
    batch_size: int


class BatchMetadata(BaseModel):
    """What the template says about the batches of a worker."""

    cursor_field: str
    failure_strategy: FailureStrategy


class RustBatchWorkerInputs(BaseModel):
    """The inputs of a worker instance, typed."""

    cursor: RustCursorConfig
    batch_metadata: BatchMetadata
    is_no_op: bool = False

    @classmethod
    def from_step_context(cls, context: StepContext) -> "RustBatchWorkerInputs | None":
        """Read them from a step, None when its inputs are others."""
        try:
            return cls.model_validate(context.step_inputs)
        except ValidationError:
            return None


class NoBatchesOutcome(BaseModel):
    """The outcome of an analyser that found nothing to do."""

    type: Literal["no_batches"] = "no_batches"


class CreateBatchesOutcome(BaseModel):
    """The outcome of an analyser that found work."""

    type: Literal["create_batches"] = "create_batches"
    worker_template_name: str
    worker_count: int
    cursor_configs: list[RustCursorConfig]
    total_items: int


BatchProcessingOutcome = NoBatchesOutcome | CreateBatchesOutcome


def no_batches() -> NoBatchesOutcome:
    """Return the outcome that creates nothing."""
    return NoBatchesOutcome()


def create_batches(
    worker_template_name: str,
    worker_count: int,
    cursor_configs: Sequence[RustCursorConfig | Mapping[str, Any]],
    total_items: int,
) -> CreateBatchesOutcome:
    """Return the outcome that creates one worker for each cursor; ValueError for another count."""
    if worker_count != len(cursor_configs):
        raise ValueError(
            f"worker_count is {worker_count}, but there are {len(cursor_configs)} cursor_configs."
        )
    return CreateBatchesOutcome(
        worker_template_name=worker_template_name,
        worker_count=worker_count,
        cursor_configs=[RustCursorConfig.model_validate(each) for each in cursor_configs],
        total_items=total_items,
    )
