"""Handlers steered through files, for tests of the worker process.

The context names a folder. A handler leaves `<step>.<attempt>` there when it starts and goes on
when the file `go` appears, so that a test decides how long it runs.
"""

import time
from pathlib import Path
from typing import Any

from workers import StepContext, step_handler
from workers.errors import StepTimeoutError

PAUSE_SECONDS = 0.01


def folder_of(context: StepContext) -> Path:
    return Path(context.get_input("folder"))


def note_start(context: StepContext) -> Path:
    folder = folder_of(context)
    (folder / f"{context.step_name}.{context.retry_count + 1}").touch()
    return folder


@step_handler("worker_process.wait")
def wait(context: StepContext) -> dict[str, Any]:
    """Run until `go` appears or the claim is lost."""
    folder = note_start(context)
    while not (folder / "go").exists():
        if context.cancelled:
            (folder / "cancelled").touch()
            break
        time.sleep(PAUSE_SECONDS)
    return {"step": context.step_name}


@step_handler("worker_process.quick")
def quick(context: StepContext) -> dict[str, Any]:
    """Return at once."""
    note_start(context)
    return {"step": context.step_name}


@step_handler("worker_process.sleep")
def sleep(context: StepContext) -> dict[str, Any]:
    """Return after the `seconds` of the context, cancelled or not."""
    note_start(context)
    time.sleep(context.get_input("seconds"))
    return {"step": context.step_name}


@step_handler("worker_process.stubborn")
def stubborn(context: StepContext) -> None:
    """Ignore the timeout until `go` appears."""
    folder = note_start(context)
    while not (folder / "go").exists():
        try:
            time.sleep(PAUSE_SECONDS)
        except StepTimeoutError:
            continue


@step_handler("worker_process.statement_limit")
def statement_limit(context: StepContext) -> dict[str, Any]:
    """Return the time limit that the handler's own statements have."""
    from django.db import connections

    note_start(context)
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return {"limit": cursor.fetchone()[0]}
