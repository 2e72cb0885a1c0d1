"""The report loop: everything finished at the moment goes out in one call.

A single result goes at once; while one batch commits, the next one collects. Handlers that have
just begun are waited for, a few milliseconds: what was claimed together often ends together, and a
transaction for ten results costs little more than one for the first of them.

A database that is down keeps the results here until it accepts or refuses them. Refused means
stale: somebody else has the step by now; it is logged, counted and dropped.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import DataError
from django.utils import timezone
from pydantic_core import from_json

from orchestration import metrics
from orchestration.queries.steps import StepReport, release_steps
from orchestration.runtime import database
from orchestration.runtime.log_context import lines_together, log_often
from orchestration.runtime.loop import Loop
from workers import signals
from workers.executor import Execution
from workers.executor import outcome as outcomes
from workers.executor.publishing import events_of
from workers.executor.report import Run, build_report
from workers.executor.storing import REFUSED, Accepted, Stored, follow_up, store_reports
from workers.worker.slots import Slots

log = logging.getLogger(__name__)

BATCH_COUNT = 200
BATCH_BYTES = 33_554_432
REFUSAL_BYTES = 1_048_576
GATHER_SECONDS = 0.005
GATHER_LOOK_SECONDS = 0.001
IDLE_SECONDS = 3600.0
"""Only a finished handler gives this loop work, and that wakes it."""

Store = Callable[[Sequence[StepReport], Sequence[Execution]], dict[UUID, Stored]]
"""Stores the reports of executions; see `workers.worker.exchange`."""


class Outcome(NamedTuple):
    """What ended, and what there is to say about it; no report means: give the claim back."""

    execution: Execution
    report: StepReport | None


class Answer(NamedTuple):
    """What became of an outcome, and the report that says so."""

    report: StepReport | None
    stored: Stored


COMES_AGAIN = Answer(None, REFUSED)
"""The outcome comes again with another report, once its events are published."""


class Reporter:
    """Carries results from the handler threads to the database."""

    def __init__(self, slots: Slots, *, worker_id: str, on_settled: Callable[[], None]) -> None:
        """Settle claims in these slots; `on_settled` is called after each batch."""
        self.loop = Loop("reports", self.run_once, idle_seconds=IDLE_SECONDS)
        self._slots = slots
        self._worker_id = worker_id
        self._on_settled = on_settled
        self._outcomes: deque[Outcome] = deque()
        self.store: Store = lambda reports, _: store_reports(reports)
        self.report_apart: Callable[[Execution, StepReport], None] = self.deliver

    @property
    def is_about_to_send(self) -> bool:
        """Results wait, and nothing is known that would keep them from being stored."""
        return bool(self._outcomes) and not self._slots.are_reports_failing

    def deliver(self, execution: Execution, report: StepReport | None) -> None:
        """Take what an execution ended with; from any thread, returns at once."""
        if report is None and not execution.is_unfinished:
            self._slots.settle(execution)  # stored by the handler's own transaction, or lost
            return
        self._outcomes.append(Outcome(execution, report))
        self.loop.wake()

    def run_once(self) -> int:
        """Send what has collected; return how many outcomes that were."""
        if self._outcomes:
            self._gather()
        batch = self._take_batch()
        if not batch:
            return 0
        try:
            self._send(batch)
        except database.CONNECTION_ERRORS as error:
            failed = error
            signals.announce(signals.worker_error, Reporter, lambda: {"error": failed})
            self._outcomes.extendleft(reversed(batch))
            self._slots.are_reports_failing = True
            raise
        self._slots.are_reports_failing = False
        return len(batch)

    def _gather(self) -> None:
        """Wait while a handler runs that has just begun; not longer than it may have just begun."""
        began = time.monotonic()
        while (
            self._slots.has_begun_since(began - GATHER_SECONDS)
            and time.monotonic() < began + GATHER_SECONDS
        ):
            time.sleep(GATHER_LOOK_SECONDS)

    def _take_batch(self) -> list[Outcome]:
        """Take outcomes of different steps; the answer to a report is found by its step."""
        batch: list[Outcome] = []
        seen = set()
        size_bytes = 0
        while self._outcomes and len(batch) < BATCH_COUNT and size_bytes < BATCH_BYTES:
            step_uuid = self._outcomes[0].execution.claim.workflow_step_uuid
            if step_uuid in seen:
                break
            seen.add(step_uuid)
            batch.append(self._outcomes.popleft())
            size_bytes += _size_bytes(batch[-1].report)
        return batch

    def _send(self, batch: Sequence[Outcome]) -> None:
        reported = [outcome for outcome in batch if outcome.report is not None]
        answers = self._store(reported) if reported else {}
        if unfinished := [outcome.execution for outcome in batch if outcome.report is None]:
            release(unfinished)
        accepted = []
        for execution, _ in batch:
            answer = answers.get(execution.claim.workflow_step_uuid)
            if answer is not COMES_AGAIN:
                self._slots.settle(execution)
            if answer is None or answer.report is None:
                continue
            if answer.stored.is_accepted:
                accepted.append(Accepted(execution, answer.report, answer.stored))
            else:
                _note_stale(execution)
        with lines_together():
            _note_accepted(accepted)
        self._on_settled()

    def _store(self, batch: Sequence[Outcome]) -> dict[UUID, Answer]:
        """Store the reports; one that the database cannot hold becomes a failure of its step."""
        reports = [each.report for each in batch if each.report is not None]
        try:
            stored = self.store(reports, [each.execution for each in batch])
        except DataError as error:
            if len(batch) == 1:
                return self._refuse(batch[0].execution, error)
            answers: dict[UUID, Answer] = {}
            for each in batch:
                answers |= self._store([each])
            return answers
        return {each.step_uuid: Answer(each, stored[each.step_uuid]) for each in reports}

    def _refuse(self, execution: Execution, error: DataError) -> dict[UUID, Answer]:
        log.error("step.report_refused", extra={**execution.log_fields, "error": str(error)})
        outcome = outcomes.not_serializable("PostgreSQL refuses it", was_success=False)
        run = Run(timezone.now(), 0, self._worker_id)
        report = build_report(execution.claim, outcome, run=run, max_result_bytes=REFUSAL_BYTES)
        if events_of(execution):
            execution.reopen()
            self.report_apart(execution, report)
            return {report.step_uuid: COMES_AGAIN}
        return {report.step_uuid: Answer(report, store_reports([report])[report.step_uuid])}


def release(executions: Sequence[Execution]) -> None:
    """Give claims back so that another worker runs them; does not count as an attempt."""
    keys = [(each.claim.workflow_step_uuid, each.claim.state_version) for each in executions]
    released = set(release_steps(keys))
    for execution in executions:
        if execution.claim.workflow_step_uuid in released:
            metrics.STEPS_RELEASED.add(namespace=execution.claim.namespace)
            log.info("step.released", extra=execution.log_fields)


def _note_stale(execution: Execution) -> None:
    metrics.STALE_REPORTS.add(namespace=execution.claim.namespace)
    log.warning("step.report_stale", extra=execution.log_fields)


def _note_accepted(accepted: Sequence[Accepted]) -> None:
    follow_up(accepted)
    for execution, report, _ in accepted:
        if report.success:
            log_often(log, "step.succeeded", execution.log_fields)
        else:
            log.warning("step.failed", extra=execution.log_fields | _failure(report))


def _size_bytes(report: StepReport | None) -> int:
    if report is None:
        return 0
    return len(report.results) + sum(len(event.message) for event in report.events)


def _failure(report: StepReport) -> dict[str, object]:
    """Return what a log may say about a failure: never what the handler worked on."""
    metadata = from_json(report.results).get("metadata", {})
    return {
        "error_type": metadata.get("error_type"),
        "retryable": metadata.get("retryable"),
        "duration_ms": metadata.get("execution_time_ms"),
    }
