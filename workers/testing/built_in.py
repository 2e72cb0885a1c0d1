"""The handlers of the shapes in `orchestration.testing`: small, pure, steered by the template.

`run_inline` finds them by itself; a worker process is given them with
`run_worker --handlers=workers.testing.built_in`.
"""

from typing import Any

from workers.context import StepContext
from workers.errors import PermanentError, RetryableError
from workers.handlers.batch import BatchConfig, BatchWorkerContext
from workers.handlers.checkpoint import Checkpoint
from workers.handlers.decision import Decision
from workers.handlers.functional import (
    batch_analyzer,
    batch_worker,
    decision_handler,
    step_handler,
)


@step_handler("test.echo")
def echo(context: StepContext) -> dict[str, Any]:
    """Say which step ran and whose results it saw."""
    return {"step": context.step_name, "saw": sorted(context.get_dependency_result_keys())}


@step_handler("test.fail_permanent")
def fail_permanent(context: StepContext) -> None:
    """Fail for good."""
    raise PermanentError(f"Step '{context.step_name}' never works.", error_code="NEVER_WORKS")


@step_handler("test.fail_times")
def fail_times(context: StepContext) -> dict[str, Any]:
    """Fail retryably on the first `times` attempts."""
    if context.attempt <= context.get_config("times"):
        raise RetryableError(f"Attempt {context.attempt} fails.", error_code="NOT_YET")
    return {"attempt": context.attempt}


@decision_handler("test.decide")
def decide(context: StepContext) -> Decision:
    """Take the branches that the input `branches` names, by default all of the template."""
    wanted = context.get_input_or("branches", context.get_config("branches"))
    return Decision.route(wanted) if wanted else Decision.skip("no branch is wanted")


@batch_analyzer("test.split", "work")
def split(context: StepContext) -> BatchConfig:
    """Split the input `total_items`, or the template's, into batches of `batch_size`."""
    total = context.get_input_or("total_items", context.get_config("total_items"))
    return BatchConfig(total, context.get_config("batch_size"))


@batch_worker("test.add_up")
def add_up(
    context: StepContext, batch_context: BatchWorkerContext | None
) -> Checkpoint | dict[str, Any]:
    """Add up the numbers of the batch's items, with a checkpoint after every `checkpoint_every`."""
    if batch_context is None:
        raise PermanentError("This is no batch worker.", error_code="NO_BATCH")
    first, end = batch_context.start_cursor, batch_context.end_cursor
    start = first if batch_context.checkpoint_cursor is None else batch_context.checkpoint_cursor
    stop = min(start + (context.get_config("checkpoint_every") or end), end)
    total = (batch_context.accumulated_results or {}).get("total", 0) + sum(range(start, stop))
    if stop < end:
        return Checkpoint(stop, stop - first, {"total": total})
    return {"items": end - first, "total": total}


_ALL: tuple[Any, ...] = (echo, fail_permanent, fail_times, decide, split, add_up)
BUILT_IN: dict[str, Any] = {each._handler_class.handler_name: each for each in _ALL}
