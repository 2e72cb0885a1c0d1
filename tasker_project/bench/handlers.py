"""The handlers of the steps that are measured: they do nothing, so that only the engine is left.

Loaded by `run_worker --handlers tasker_project.bench.handlers`.
"""

import time
from typing import Any

from workers.context import StepContext
from workers.errors import RetryableError
from workers.handlers.batch import BatchConfig
from workers.handlers.functional import batch_analyzer, step_handler

LOOK_SECONDS = 0.1
SLEEP_SECONDS = 0.02


@step_handler("bench.nothing")
def do_nothing() -> dict[str, Any]:
    """Return a small result."""
    return {"ok": True}


@step_handler("bench.sleep")
def sleep() -> dict[str, Any]:
    """Sleep as long as a quick call to another service takes."""
    time.sleep(SLEEP_SECONDS)
    return {"ok": True}


@batch_analyzer("bench.split", worker_template="work")
def split(context: StepContext) -> BatchConfig:
    """Ask for `batches` of the task's context, each of one item."""
    return BatchConfig(total_items=context.get_input("batches"), batch_size=1)


@step_handler("bench.hold")
def hold(context: StepContext) -> dict[str, Any]:
    """Hold the first attempt until its worker is killed; let any other pass."""
    while context.attempt == 1 and not context.cancelled:
        time.sleep(LOOK_SECONDS)
    return {"ok": True}


@step_handler("bench.fail_once")
def fail_once(context: StepContext) -> dict[str, Any]:
    """Fail once and ask for another attempt after `seconds` of the task's context."""
    if context.attempt == 1:
        raise RetryableError("Come back later.", retry_after=context.get_input("seconds"))
    return {"ok": True}
