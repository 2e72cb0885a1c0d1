"""The handlers of the steps that are measured: they do nothing, so that only the engine is left.

Loaded by `run_worker --handlers tasker_project.bench.handlers`.
"""

import time
from typing import Any

from workers.context import StepContext
from workers.errors import RetryableError
from workers.handlers.functional import step_handler

LOOK_SECONDS = 0.1


@step_handler("bench.nothing")
def do_nothing() -> dict[str, Any]:
    """Return a small result."""
    return {"ok": True}


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
