"""`run_inline`: a whole template in the calling thread, as the processes would run it.

The run is one transaction, or a savepoint of the caller's. So no other process sees a message of
it, none outlives it, and a run that raises leaves nothing behind.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from workers.testing.handlers import Handlers
from workers.testing.outcome import InlineRun, InlineRunError
from workers.testing.runner import OnDispatch, Runner
from workers.testing.templates import Source, find_or_register


def run_inline(  # noqa: PLR0913 - the signature of the design
    template: Source,
    context: Mapping[str, Any] | None = None,
    *,
    handlers: Mapping[str, Any] | None = None,
    environment: str = "test",
    max_dispatches: int = 10_000,
    retry: bool = True,
    on_dispatch: OnDispatch | None = None,
) -> InlineRun:
    """Run a task of a template until nothing more can happen to it, and tell what happened.

    `handlers` replaces handlers by callable, for this run. With `retry=False` a step whose failure
    may be retried is left in `waiting_for_retry`. `on_dispatch(step, attempt, number)` is called
    before each dispatch and may raise `WorkerLost`. Raises `InlineRunError` when the run cannot
    start or does not end, and what is wrong with template or context.
    """
    with transaction.atomic():
        found = find_or_register(template, environment=environment)
        chosen = Handlers(handlers)
        callables = found.template.all_callables()
        if unused := chosen.unused(callables):
            raise InlineRunError(
                f"Cannot run {found.template}: handlers= names {', '.join(unused)}, which none of "
                f"its steps calls; they call {', '.join(callables)}"
            )
        runner = Runner(
            found, chosen, max_dispatches=max_dispatches, retry=retry, on_dispatch=on_dispatch
        )
        try:
            return runner.run(dict(context or {}))
        finally:
            runner.close()
