"""Testing handlers and workflows: ours, and yours.

    from workers.testing import make_context, run_handler, run_inline

    result = run_handler(pour, dependencies={"boil_water": {"celsius": 95}})   # no database
    run = run_inline("tea/brew", {"celsius": 95})                             # real rows

`contexts` and `running` test one handler; `inline` runs a whole template in the calling thread,
through the lifecycle and the executor that the processes use; `events` collects domain events;
`fixtures` is a plugin for pytest. No other module may import this one.

Names are imported on first use: making a context needs neither Django nor a database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.testing.contexts import execution_result, make_batch_context, make_context
    from workers.testing.events import capture_events
    from workers.testing.inline import run_inline
    from workers.testing.outcome import InlineRun, InlineRunError, InlineStep, WorkerLost
    from workers.testing.running import run_handler, run_until_done
    from workers.testing.templates import assert_resolvable

_EXPORTS = {
    "execution_result": "contexts",
    "make_batch_context": "contexts",
    "make_context": "contexts",
    "capture_events": "events",
    "run_inline": "inline",
    "InlineRun": "outcome",
    "InlineRunError": "outcome",
    "InlineStep": "outcome",
    "WorkerLost": "outcome",
    "run_handler": "running",
    "run_until_done": "running",
    "assert_resolvable": "templates",
}

__all__ = [
    "InlineRun",
    "InlineRunError",
    "InlineStep",
    "WorkerLost",
    "assert_resolvable",
    "capture_events",
    "execution_result",
    "make_batch_context",
    "make_context",
    "run_handler",
    "run_inline",
    "run_until_done",
]


def __getattr__(name: str) -> Any:
    """Import an exported name on its first use."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'workers.testing' has no attribute '{name}'")
    return getattr(import_module(f"workers.testing.{_EXPORTS[name]}"), name)
