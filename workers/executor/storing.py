"""Stores reports, and does what follows their commit: counters, events, signals."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from orchestration.queries import steps
from orchestration.queries.steps import StepReport
from workers.domain_events.delivery import deliver
from workers.executor import announcing
from workers.executor.counting import count_report, count_submission
from workers.executor.execution import Execution


class Stored(NamedTuple):
    """Whether a report was accepted, and by event id why a durable event was not sent."""

    is_accepted: bool = False
    refused_events: Mapping[str, str] = MappingProxyType({})


REFUSED = Stored()


def store_reports(reports: Sequence[StepReport]) -> dict[UUID, Stored]:
    """Store reports with their durable events, in one statement."""
    began = time.perf_counter()
    found = _store(reports)
    count_submission(reports, seconds=time.perf_counter() - began)
    return found


def _store(reports: Sequence[StepReport]) -> dict[UUID, Stored]:
    if not any(report.events for report in reports):
        answers = steps.report_steps(reports)
        return {step_uuid: Stored(is_accepted) for step_uuid, is_accepted in answers.items()}
    verdicts = steps.report_with_events(reports)
    found = {}
    for report in reports:
        verdict = verdicts[report.step_uuid]
        errors = zip(report.events, verdict.event_errors, strict=False)  # none when not accepted
        refused = {event.event_id: error for event, error in errors if error is not None}
        found[report.step_uuid] = Stored(verdict.accepted, refused)
    return found


def follow_up(execution: Execution, report: StepReport, stored: Stored) -> None:
    """Tell others about a report that was accepted and committed; never raises."""
    count_report(execution, report)
    if execution.events:
        deliver(execution.events, refused=stored.refused_events)
    announcing.reported(execution, report)
