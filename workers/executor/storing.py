"""Stores reports, and does what follows their commit: counters, events, signals."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from orchestration.queries import steps
from orchestration.queries.steps import TAKE_NOTHING, StepReport, Take
from workers.domain_events.delivery import deliver
from workers.executor import announcing
from workers.executor.advancing import note_advance
from workers.executor.counting import count_reports, count_submission
from workers.executor.execution import Execution


class Stored(NamedTuple):
    """Whether a report was accepted, and by event id why a durable event was not sent.

    Where the task went on with it, `task_state` is where that left the task, and the first of its
    reports tells how many steps were enqueued and which of them are claimed.
    """

    is_accepted: bool = False
    task_state: str | None = None
    enqueued_steps: int | None = None
    taken_steps: Sequence[UUID] | None = None
    refused_events: Mapping[str, str] = MappingProxyType({})


REFUSED = Stored()


def store_reports(
    reports: Sequence[StepReport], *, advance: int = 0, take: Take = TAKE_NOTHING
) -> dict[UUID, Stored]:
    """Store reports with their durable events, in one statement.

    Tasks of `advance` steps at most go on with it when nobody else holds them; `take` says how many
    of the steps that follow are claimed by that.
    """
    began = time.perf_counter()
    found = _store(reports, advance, take)
    count_submission(reports, seconds=time.perf_counter() - began)
    return found


def _store(reports: Sequence[StepReport], advance: int, take: Take) -> dict[UUID, Stored]:
    if not any(report.events for report in reports):
        answers = steps.report_steps(reports, advance=advance, take=take)
        return {step_uuid: Stored(*answer[1:]) for step_uuid, answer in answers.items()}
    verdicts = steps.report_with_events(reports, advance=advance, take=take)
    found = {}
    for report in reports:
        verdict = verdicts[report.step_uuid]
        errors = zip(report.events, verdict.event_errors, strict=False)  # none when not accepted
        refused = {event.event_id: error for event, error in errors if error is not None}
        found[report.step_uuid] = Stored(*verdict[1:-1], refused)
    return found


class Accepted(NamedTuple):
    """An execution whose report was accepted and committed."""

    execution: Execution
    report: StepReport
    stored: Stored


def follow_up(accepted: Sequence[Accepted]) -> None:
    """Tell others about reports that were accepted and committed; never raises."""
    messages = sum(each.stored.task_state is None for each in accepted)
    count_reports([each[:2] for each in accepted], messages=messages)
    for execution, report, stored in accepted:
        if stored.task_state is not None and stored.enqueued_steps is not None:
            note_advance(execution.claim, stored.task_state, enqueued_steps=stored.enqueued_steps)
        if execution.events:
            deliver(execution.events, refused=stored.refused_events)
        announcing.reported(execution, report)
