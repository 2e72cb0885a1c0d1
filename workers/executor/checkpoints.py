"""Stores what a handler yielded as its checkpoint; the next dispatch starts from there."""

from typing import Any

from django.db import DatabaseError, connections
from django.utils import timezone
from pydantic_core import from_json

from orchestration.queries import steps
from workers.executor.execution import Execution
from workers.handlers.checkpoint import CHECKPOINT_FLAG
from workers.results import StepHandlerResult
from workers.results.json_text import NotSerializable, dump


class CheckpointRefused(Exception):  # noqa: N818 - it is not the handler's error
    """A checkpoint could not be written."""


def is_checkpoint(result: StepHandlerResult) -> bool:
    """Say whether a result only yields a checkpoint; the flag in its metadata decides."""
    return result.is_success and result.metadata.get(CHECKPOINT_FLAG) is True


def build_checkpoint(
    result: dict[str, Any], *, previous: dict[str, Any] | None, history_length: int, max_bytes: int
) -> dict[str, Any]:
    """Return the checkpoint in plain JSON values; raises CheckpointRefused."""
    before = previous or {}
    timestamp = timezone.now().isoformat()
    cursor = result.get("cursor")
    entry = {"cursor": cursor, "timestamp": timestamp}
    history = [*before.get("history", []), entry]
    given = result.get("accumulated_results")
    checkpoint = {
        "cursor": cursor,
        "items_processed": result.get("items_processed", 0),
        "timestamp": timestamp,
        "accumulated_results": before.get("accumulated_results") if given is None else given,
        "history": history[-history_length:] if history_length else [],
    }
    try:
        text = dump(checkpoint)
    except NotSerializable as error:
        raise CheckpointRefused(str(error)) from error
    if len(text) > max_bytes:
        raise CheckpointRefused(
            f"it has {len(text)} bytes; max_checkpoint_bytes allows {max_bytes}"
        )
    plain: dict[str, Any] = from_json(text)
    return plain


def store_checkpoint(
    execution: Execution, checkpoint: dict[str, Any], *, lease_seconds: int, may_retry: bool
) -> bool:
    """Write a checkpoint; False when the claim is lost. Raises CheckpointRefused.

    A database error is tried once more on a new connection, unless a transaction is open.
    """
    claim = execution.claim
    for tries_left in (1, 0) if may_retry else (0,):
        try:
            is_held = steps.save_checkpoint(
                claim.workflow_step_uuid,
                state_version=claim.state_version,
                checkpoint=checkpoint,
                lease_seconds=lease_seconds,
            )
        except DatabaseError as error:
            if not tries_left:
                raise CheckpointRefused(f"{type(error).__name__}: {error}") from error
            connections["default"].close()
        else:
            if is_held:
                execution.checkpoint = checkpoint
            return is_held
    raise AssertionError("the last try returns or raises")
