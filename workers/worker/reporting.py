"""The report loop: everything finished at the moment goes out in one call.

A single result goes at once; while one batch commits, the next one collects. A database that is
down keeps the results here until it accepts or refuses them. Refused means stale: somebody else has
the step by now; it is logged, counted and dropped.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import DataError
from django.utils import timezone
from pydantic_core import from_json

from orchestration import metrics
from orchestration.queries.steps import StepReport, release_steps, report_steps
from orchestration.runtime import database
from orchestration.runtime.loop import Loop
from workers.executor import Execution
from workers.executor import outcome as outcomes
from workers.executor.report import Run, build_report
from workers.worker.slots import Slots

log = logging.getLogger(__name__)

BATCH_COUNT = 200
REFUSAL_BYTES = 1_048_576
IDLE_SECONDS = 3600.0
"""Only a finished handler gives this loop work, and that wakes it."""


class Outcome(NamedTuple):
    """What ended, and what there is to say about it; no report means: give the claim back."""

    execution: Execution
    report: StepReport | None


class Reporter:
    """Carries results from the handler threads to the database."""

    def __init__(self, slots: Slots, *, worker_id: str, on_settled: Callable[[], None]) -> None:
        """Settle claims in these slots; `on_settled` is called after each batch."""
        self.loop = Loop("reports", self.run_once, idle_seconds=IDLE_SECONDS)
        self._slots = slots
        self._worker_id = worker_id
        self._on_settled = on_settled
        self._outcomes: deque[Outcome] = deque()

    def deliver(self, execution: Execution, report: StepReport | None) -> None:
        """Take what an execution ended with; from any thread, returns at once."""
        if report is None and not execution.is_unfinished:
            if execution.is_stored:
                metrics.STEPS_SUBMITTED.add()
                metrics.STEPS_SUCCEEDED.add()
            self._slots.settle(execution)  # stored by the handler's own transaction, or lost
            return
        self._outcomes.append(Outcome(execution, report))
        self.loop.wake()

    def run_once(self) -> int:
        """Send what has collected; return how many outcomes that were."""
        batch = self._take_batch()
        if not batch:
            return 0
        try:
            self._send(batch)
        except database.CONNECTION_ERRORS:
            self._outcomes.extendleft(reversed(batch))
            self._slots.are_reports_failing = True
            raise
        self._slots.are_reports_failing = False
        return len(batch)

    def _take_batch(self) -> list[Outcome]:
        """Take outcomes of different steps; the answer to a report is found by its step."""
        batch: list[Outcome] = []
        seen = set()
        while self._outcomes and len(batch) < BATCH_COUNT:
            step_uuid = self._outcomes[0].execution.claim.workflow_step_uuid
            if step_uuid in seen:
                break
            seen.add(step_uuid)
            batch.append(self._outcomes.popleft())
        return batch

    def _send(self, batch: Sequence[Outcome]) -> None:
        reported = [outcome for outcome in batch if outcome.report is not None]
        accepted = self._store(reported) if reported else {}
        if unfinished := [outcome.execution for outcome in batch if outcome.report is None]:
            release(unfinished)
        for execution, report in batch:
            self._slots.settle(execution)
            if report is not None:
                _note_answer(execution, report, is_accepted=accepted.get(report.step_uuid, False))
        self._on_settled()

    def _store(self, batch: Sequence[Outcome]) -> dict[UUID, bool]:
        """Store the reports; one that the database cannot hold becomes a failure of its step."""
        try:
            return report_steps([each.report for each in batch if each.report is not None])
        except DataError as error:
            if len(batch) == 1:
                execution = batch[0].execution
                log.error("step.report_refused", extra={**_ids(execution), "error": str(error)})
                return report_steps([self._refusal(execution)])
        answers: dict[UUID, bool] = {}
        for each in batch:
            answers |= self._store([each])
        return answers

    def _refusal(self, execution: Execution) -> StepReport:
        outcome = outcomes.not_serializable("PostgreSQL refuses it", was_success=False)
        run = Run(timezone.now(), 0, self._worker_id)
        return build_report(execution.claim, outcome, run=run, max_result_bytes=REFUSAL_BYTES)


def release(executions: Sequence[Execution]) -> None:
    """Give claims back so that another worker runs them; does not count as an attempt."""
    keys = [(each.claim.workflow_step_uuid, each.claim.state_version) for each in executions]
    released = release_steps(keys)
    metrics.STEPS_RELEASED.add(len(released))
    for step_uuid in released:
        log.info("step.released", extra={"step_uuid": str(step_uuid)})


def _note_answer(execution: Execution, report: StepReport, *, is_accepted: bool) -> None:
    if not is_accepted:
        metrics.STALE_REPORTS.add()
        log.warning("step.report_stale", extra=_ids(execution))
        return
    metrics.STEPS_SUBMITTED.add()
    if report.success:
        metrics.STEPS_SUCCEEDED.add()
        log.info("step.succeeded", extra=_ids(execution))
        return
    metrics.STEPS_FAILED.add()
    log.warning("step.failed", extra=_ids(execution) | _failure(report))


def _ids(execution: Execution) -> dict[str, object]:
    claim = execution.claim
    return {
        "correlation_id": str(claim.correlation_id),
        "task_uuid": str(claim.task_uuid),
        "step_uuid": str(claim.workflow_step_uuid),
        "namespace": claim.namespace,
        "step": claim.name,
        "attempt": claim.attempts,
    }


def _failure(report: StepReport) -> dict[str, object]:
    """Return what a log may say about a failure: never what the handler worked on."""
    metadata = from_json(report.results).get("metadata", {})
    return {
        "error_type": metadata.get("error_type"),
        "retryable": metadata.get("retryable"),
        "duration_ms": metadata.get("execution_time_ms"),
    }
