"""Handlers of decisions and batches, steered by the context of the task."""

from pathlib import Path
from typing import Any

from tests.handlers.shapes import note
from workers.context import StepContext
from workers.errors import PermanentError, RetryableError
from workers.handlers.batch import BatchConfig, BatchWorkerContext
from workers.handlers.checkpoint import Checkpoint
from workers.handlers.decision import Decision
from workers.handlers.functional import batch_analyzer, batch_worker, decision_handler, step_handler


@decision_handler("branching.by_amount")
def by_amount(context: StepContext) -> Decision:
    """Route by the amount: up to 1000, up to 5000, beyond."""
    amount = context.get_input("amount")
    if amount <= 1000:
        return Decision.route(["auto"])
    if amount <= 5000:
        return Decision.route(["manager"])
    return Decision.route(["manager", "finance"])


@decision_handler("branching.as_told")
def as_told(context: StepContext) -> Decision:
    """Take the branches that the context names for this step."""
    branches = context.get_input("branches")[context.step_name]
    return Decision.route(branches) if branches else Decision.skip("nothing to do")


@batch_analyzer("branching.analyse", worker_template="work")
def analyse(context: StepContext) -> BatchConfig:
    """Cut the context's `items` into batches of `batch_size`."""
    return BatchConfig(context.get_input("items"), context.get_input("batch_size"))


@batch_worker("branching.add_up")
def add_up(context: StepContext, batch_context: BatchWorkerContext) -> Checkpoint | dict[str, Any]:
    """Add up the batch's items, counted from 1, with a checkpoint after `every` of them.

    The item `fail_at` fails: once, or with `for_good` until the file `repaired` exists.
    """
    note(context)
    batch = batch_context
    done = batch.checkpoint_cursor if batch.has_checkpoint() else batch.start_cursor
    total = (batch.accumulated_results or {}).get("total", 0)
    every = context.get_input("every") or batch.end_cursor
    for item in range(done, min(done + every, batch.end_cursor)):
        if item == context.get_input("fail_at"):
            _fail(context)
        done, total = item + 1, total + item + 1
    if done < batch.end_cursor:
        return Checkpoint(done, done - batch.start_cursor, {"total": total})
    return {"total": total}


def _fail(context: StepContext) -> None:
    repaired = context.get_input("repaired")
    if repaired and not Path(repaired).exists():
        raise PermanentError("This item is broken.", error_code="BROKEN_ITEM")
    if not repaired and context.attempt == 1:
        raise RetryableError("This item fails once.", error_code="NOT_YET")


@step_handler("branching.sum_up")
def sum_up(context: StepContext) -> dict[str, Any]:
    """Add up what the instances of `work` found."""
    note(context)
    workers = [name for name in context.get_dependency_result_keys() if name.startswith("work_")]
    totals = [context.get_dependency_result(name)["total"] for name in workers]
    return {"total": sum(totals), "workers": sorted(workers)}
