"""Checkpoints: a handler stops in the middle, says how far it is, and is called again.

The flag in the metadata is what counts for the worker; the result is for readers.
"""

from dataclasses import dataclass
from typing import Any

from workers.results import StepHandlerResult

CHECKPOINT_FLAG = "checkpoint_yield"


@dataclass(frozen=True)
class Checkpoint:
    """What a decorated function returns to be called again later from here."""

    cursor: Any
    items_processed: int
    accumulated_results: dict[str, Any] | None = None


def yield_checkpoint(checkpoint: Checkpoint) -> StepHandlerResult:
    """Build the result that stores a checkpoint and dispatches the step again."""
    result = {
        "type": CHECKPOINT_FLAG,
        "cursor": checkpoint.cursor,
        "items_processed": checkpoint.items_processed,
    }
    if checkpoint.accumulated_results is not None:
        result["accumulated_results"] = checkpoint.accumulated_results
    return StepHandlerResult.build_success(result, {CHECKPOINT_FLAG: True})
