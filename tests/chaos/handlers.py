"""The handlers that the workers of a run load: they behave as the template says.

`does` is plain, flaky (fails retryably on its first `times` attempts), hanging (outstays its
timeout on them), permanent, exhausted (fails always, retryably) or checkpoint. Every success
returns one more than the values of the parents together.
"""

import time
from typing import Any

from tests.chaos import broken
from tests.chaos.effects import Effect
from tests.chaos.workflows import CHUNKS
from workers.context import StepContext
from workers.errors import PermanentError, RetryableError
from workers.handlers.checkpoint import Checkpoint
from workers.handlers.functional import step_handler

PAUSE_SECONDS = 0.01

broken.patch_worker()


@step_handler("chaos.plain")
def plain(context: StepContext) -> Checkpoint | dict[str, Any]:
    """Do what the template says, without the database."""
    if context.get_config("does") == "checkpoint":
        return _count(context)
    _work(context)
    return _finish(context)


@step_handler("chaos.atomic", atomic=True)
def atomic(context: StepContext) -> dict[str, Any]:
    """Write a business row first, so that a failure has something to take back."""
    Effect._default_manager.create(
        task_uuid=context.task_uuid, step_name=context.step_name, attempt=context.attempt
    )
    _work(context)
    return _finish(context)


def _work(context: StepContext) -> None:
    time.sleep(context.get_config("milliseconds") / 1000)


def _finish(context: StepContext) -> dict[str, Any]:
    does, is_early = context.get_config("does"), context.attempt <= context.get_config("times")
    if does == "permanent":
        raise PermanentError("The plan says so.", error_code="PLANNED_FAILURE")
    if does == "exhausted" or (does == "flaky" and is_early):
        raise RetryableError(f"Attempt {context.attempt} fails.", error_code="PLANNED_RETRY")
    while does == "hanging" and is_early:
        time.sleep(PAUSE_SECONDS)
    return {"value": _value(context)}


def _count(context: StepContext) -> Checkpoint | dict[str, Any]:
    """Do the work in parts, each of which is stored."""
    done = context.checkpoint_cursor or 0
    carried = (context.accumulated_results or {}).get("carried", 0)
    time.sleep(context.get_config("milliseconds") / 1000 / CHUNKS)
    done, carried = done + 1, carried + done + 1
    if done < CHUNKS:
        return Checkpoint(done, done, accumulated_results={"carried": carried})
    if carried != CHUNKS * (CHUNKS + 1) // 2:
        raise PermanentError(f"The checkpoints add up to {carried}.", error_code="LOST_CHECKPOINT")
    return {"value": _value(context)}


def _value(context: StepContext) -> int:
    parents = context.get_config("parents")
    return 1 + sum(int(context.get_dependency_field(each, "value")) for each in parents)
