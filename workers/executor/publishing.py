"""Gives a report the domain events that its template step declares for it.

Publishers are foreign code on the road of a result, so they get a deadline of their own: whoever
outlasts it is interrupted as a handler would be, his event is lost, and the result goes on.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from django.db import DatabaseError, transaction

from orchestration.queries.steps import StepReport
from workers.context import StepContext
from workers.domain_events.declarations import Declared
from workers.domain_events.preparing import PreparedEvent, prepare
from workers.errors import StepTimeoutError
from workers.executor.execution import Execution
from workers.executor.plan import Plan
from workers.executor.watchdog import Watchdog
from workers.results.json_text import dump

log = logging.getLogger(__name__)

LIMIT_SECONDS = 5.0
"""For all publishers of one step together."""


class Eventful(NamedTuple):
    """A report that carries its durable events, and all events that go with it."""

    report: StepReport
    events: Sequence[PreparedEvent] = ()


def keep_for_events(execution: Execution, plan: Plan, context: StepContext) -> None:
    """Keep the step as it was claimed, before its handler can change it, for durable events."""
    if any(each.is_durable for each in plan.events) and not execution.task_sequence_step:
        execution.task_sequence_step = dump(context.event.task_sequence_step)


def events_of(execution: Execution) -> Sequence[Declared]:
    """Return what the step declares to publish; nothing while its template step is unknown."""
    return () if execution.plan is None else execution.plan.events


def with_events(
    execution: Execution,
    report: StepReport,
    *,
    watchdog: Watchdog,
    on_overdue: Callable[[Execution], None],
    is_in_transaction: bool = False,
) -> Eventful:
    """Run the publishers of a report's events.

    `on_overdue` is called from the watchdog's thread when a publisher cannot be interrupted.
    """
    watch = watchdog.watch(
        execution, deadline=time.monotonic() + LIMIT_SECONDS, on_overdue=on_overdue
    )
    events: list[PreparedEvent] = []
    try:
        try:
            watch.arm()
            with _savepoint(is_wanted=is_in_transaction):
                _prepare_into(events, execution, report, is_over=lambda: watch.is_timed_out)
        except BaseException:  # between two publishers: too slow, or a fault of ours
            log.warning("domain_event.failed", extra=execution.log_fields, exc_info=True)
        watch.close()
    except StepTimeoutError:  # delivered between the last publisher and the end of the watch
        watch.close()
    execution.is_interrupted |= watch.is_timed_out
    durable = tuple(each.durable for each in events if each.durable)
    return Eventful(report._replace(events=durable), events)


def _prepare_into(
    events: list[PreparedEvent],
    execution: Execution,
    report: StepReport,
    *,
    is_over: Callable[[], bool],
) -> None:
    for event in prepare(
        events_of(execution),
        claim=execution.claim,
        report=report,
        task_sequence_step=execution.task_sequence_step or b"null",
        is_over=is_over,
    ):
        events.append(event)


@contextmanager
def _savepoint(*, is_wanted: bool) -> Iterator[None]:
    """Keep what publishers do wrong with the database away from an atomic handler's transaction."""
    if not is_wanted:
        yield
        return
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        log.warning("domain_event.failed", extra={"error": f"a publisher's statement: {error}"})
