"""The handler of every step that is measured: it does nothing, so that only the engine is left.

Loaded by `run_worker --handlers tasker_project.bench.handlers`.
"""

from typing import Any

from workers.handlers.functional import step_handler


@step_handler("bench.nothing")
def do_nothing() -> dict[str, Any]:
    """Return a small result."""
    return {"ok": True}
