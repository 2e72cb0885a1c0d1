"""The built-in handlers of the shapes and others, steered and watched from outside.

The context may name files: `ledger` gets one line for every run; in the folder `gate` a handler
leaves `<step>.<attempt>` when it starts and goes on when `<step>.go` or `go` appears.
"""

import itertools
import os
import time
from pathlib import Path
from typing import Any

from templates_registry.schema import TaskTemplate
from workers.context import StepContext
from workers.errors import RetryableError
from workers.handlers.checkpoint import Checkpoint
from workers.handlers.functional import step_handler
from workers.results import StepHandlerResult
from workers.testing import built_in

PAUSE_SECONDS = 0.01


def napping(template: TaskTemplate) -> TaskTemplate:
    """Return a template like this one whose steps take 50, 100, 150 and 200 ms, by turns."""
    data = template.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for step, ms in zip(data["steps"], itertools.cycle((50, 100, 150, 200))):
        step["handler"] = {"callable": "test.nap", "initialization": {"ms": ms}}
    return TaskTemplate.model_validate(data | {"name": f"napping_{template.name}"})


def note(context: StepContext) -> None:
    """Write one line; O_APPEND keeps lines of several processes apart."""
    ledger = context.get_input("ledger")
    if not ledger:
        return
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, f"{context.task_uuid} {context.step_name}\n".encode())
    finally:
        os.close(descriptor)


@step_handler("test.echo")
def echo(context: StepContext) -> dict[str, Any]:
    """Say which step ran and whose results it saw."""
    note(context)
    found: dict[str, Any] = built_in.echo(context)
    return found


@step_handler("test.fail_permanent")
def fail_permanent(context: StepContext) -> None:
    """Fail for good, unless the file `repaired` of the context exists."""
    note(context)
    repaired = context.get_input("repaired")
    if not (repaired and Path(repaired).exists()):
        built_in.fail_permanent(context)


@step_handler("test.fail_times")
def fail_times(context: StepContext) -> dict[str, Any]:
    """Fail retryably on the first `times` attempts."""
    note(context)
    found: dict[str, Any] = built_in.fail_times(context)
    return found


@step_handler("test.square")
def square(context: StepContext) -> dict[str, Any]:
    """Square the result of `of`, or the input `number`; list the ancestors seen."""
    source = context.get_config("of")
    number = context.get_dependency_field(source, "value") if source else None
    if number is None:
        number = context.get_input("number")
    return {"value": number * number, "saw": sorted(context.get_dependency_result_keys())}


@step_handler("test.give")
def give(context: StepContext) -> Any:
    """Return the context's `payload` unchanged."""
    return context.get_input("payload")


@step_handler("test.see")
def see(context: StepContext) -> dict[str, Any]:
    """Return what the step named by `of` gave."""
    return {"seen": context.get_dependency_result(context.get_config("of"))}


@step_handler("test.wait")
def wait(context: StepContext) -> dict[str, Any]:
    """Run until the gate opens, or until the claim is gone."""
    note(context)
    gate = Path(context.get_input("gate"))
    (gate / f"{context.step_name}.{context.attempt}").touch()
    while not ((gate / f"{context.step_name}.go").exists() or (gate / "go").exists()):
        if context.cancelled:
            (gate / f"{context.step_name}.cancelled").touch()
            break
        time.sleep(PAUSE_SECONDS)
    return {"attempt": context.attempt, "process": os.getpid()}


@step_handler("test.nap")
def nap(context: StepContext) -> dict[str, Any]:
    """Take `ms` milliseconds."""
    note(context)
    time.sleep(context.get_config("ms") / 1000)
    return {"attempt": context.attempt}


@step_handler("test.overrun")
def overrun(context: StepContext) -> dict[str, Any]:
    """Outstay the timeout on the first `times` attempts."""
    if context.attempt <= context.get_config("times"):
        while True:
            time.sleep(PAUSE_SECONDS)
    return {"attempt": context.attempt}


@step_handler("test.ask_to_wait")
def ask_to_wait(context: StepContext) -> StepHandlerResult | dict[str, Any]:
    """Fail once and ask for a pause: `retry_after` seconds, or a header with date or seconds."""
    if context.is_retry():
        return {"attempt": context.attempt}
    seconds = context.get_config("retry_after")
    if seconds is not None:
        raise RetryableError("Come back later.", retry_after=seconds)
    return StepHandlerResult.failure(
        "Come back later.", metadata={"headers": {"Retry-After": context.get_input("retry_after")}}
    )


@step_handler("test.count")
def count(context: StepContext) -> Checkpoint | dict[str, Any]:
    """Add up 1 to 100 with a checkpoint every 25; wait at the gate before the third part."""
    note(context)
    done = context.checkpoint_cursor or 0
    total = (context.accumulated_results or {}).get("total", 0)
    if done == 50 and context.get_input("gate"):
        wait(context)
    done, total = done + 25, total + sum(range(done + 1, done + 26))
    if done < 100:
        return Checkpoint(cursor=done, items_processed=done, accumulated_results={"total": total})
    return {"total": total}
