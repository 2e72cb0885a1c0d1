"""`Executor`: runs claims to their reports.

A claim has one dispatch, or one more for each checkpoint that its handler yields. Whatever happens
in a handler becomes an outcome; the executor itself never raises.

Why atomic handlers report here and not in the worker: their writes and their report must be one
transaction, on the thread that ran the handler.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import DataError, transaction
from django.utils import timezone

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.queries.steps import Claim, StepReport
from orchestration.runtime.log_context import log_context, log_often
from workers.conf import WorkerSettings
from workers.context import Progress, StepContext
from workers.executor import announcing, checkpoints
from workers.executor import outcome as outcomes
from workers.executor.checkpoints import CheckpointRefused
from workers.executor.dispatch import Dispatch
from workers.executor.ending import Ending, OnDone
from workers.executor.execution import Execution
from workers.executor.outcome import Outcome
from workers.executor.plan import Plan, find_plan
from workers.executor.preparation import build_context
from workers.executor.publishing import Eventful, events_of, keep_for_events, with_events
from workers.executor.report import CheckResult, Run, build_report
from workers.executor.storing import REFUSED, Accepted, Stored, follow_up, store_reports
from workers.executor.thread_connections import check_connections, clean_connections
from workers.executor.watchdog import Watchdog
from workers.registry import HandlerRegistry, HandlerSource, ResolutionError

log = logging.getLogger(__name__)


class _RolledBack(Exception):  # noqa: N818 - it only leaves the transaction
    """Leaves an atomic handler's transaction with what is to be reported instead."""

    def __init__(self, report: StepReport | None) -> None:
        super().__init__()
        self.report = report


AGAIN = object()  # a checkpoint was stored: the handler is called once more


class Executor:
    """Runs claims, on as many threads as the worker likes; see the package's docstring."""

    def __init__(
        self,
        *,
        worker_id: str,
        settings: WorkerSettings,
        on_done: OnDone,
        is_stopping: Callable[[], bool],
        handlers: HandlerSource | None = None,
        on_dispatch: Callable[[Execution], None] | None = None,
    ) -> None:
        """Run nothing yet; what `on_dispatch`, called before each dispatch, raises leaves `run`."""
        self._worker_id = worker_id
        self._settings = settings
        self._is_stopping = is_stopping
        self._lease_seconds = engine_settings().lease_seconds
        self._handlers = handlers or HandlerRegistry.instance()
        self._on_dispatch = on_dispatch
        self._watchdog = Watchdog(
            grace_seconds=settings.timeout_grace_seconds, on_overdue=self._report_overdue
        )
        self._ending = Ending(self._watchdog, on_done=on_done)
        self.report_apart = self._ending.publish_apart

    def begin(self, claim: Claim) -> Execution:
        """Return the execution of a claim, not yet running."""
        execution = Execution(
            claim,
            progress=Progress(is_stopping=self._is_stopping),
            timeout_seconds=claim.timeout_seconds or self._settings.default_step_timeout_seconds,
        )
        log_often(log, "step.claimed", execution.log_fields)
        return execution

    def close(self) -> None:
        """End the watchdog thread."""
        self._watchdog.close()

    def run(self, execution: Execution) -> None:
        """Run a claim to its end on the calling thread and hand over its report, once.

        Every line logged meanwhile, the handler's own too, carries the ids of the step.
        """
        with log_context(**execution.log_fields):
            self._run(execution)

    def _run(self, execution: Execution) -> None:
        found: object = AGAIN
        while found is AGAIN:
            if self._on_dispatch is not None:
                self._on_dispatch(execution)
            execution.started_at = time.monotonic()
            outer = check_connections()
            found = self._dispatch(execution)
            clean_connections(outer, is_interrupted=execution.is_interrupted)
            if found is AGAIN:
                announcing.checkpointed(execution)
                if self._is_stopping():
                    execution.is_unfinished = True
                    found = None
        execution.is_running = False
        if execution.is_overdue:
            return  # its end was, or will be, reported by another thread
        if isinstance(found, StepReport):
            self._ending.publish(execution, found)
        else:
            self._ending.hand_over(execution, None)

    # --- one dispatch
    def _dispatch(self, execution: Execution) -> object:
        try:
            plan = find_plan(execution.claim)
            context = build_context(execution, plan)
            self._note_dispatch(execution, plan, context)
            handler = self._handlers.locate(plan.definition)
        except ResolutionError as error:
            return self._report(execution, outcomes.unresolved(str(error), code=error.code))
        except BaseException as error:  # noqa: BLE001 - section 3.10: before the call, retryable
            return self._report(execution, outcomes.not_prepared(execution.claim.name, error=error))
        dispatch = Dispatch(execution, plan, handler, context)
        if dispatch.is_atomic:
            return self._run_atomically(dispatch)
        return self._settle(dispatch, self._call(dispatch))

    @staticmethod
    def _note_dispatch(execution: Execution, plan: Plan, context: StepContext) -> None:
        is_first = execution.context is None
        execution.plan, execution.context = plan, context
        if plan.events:
            keep_for_events(execution, plan, context)
        if is_first:
            announcing.received(context)

    def _call(self, dispatch: Dispatch) -> Outcome:
        return dispatch.call(self._watchdog, policy=self._settings.exception_policy)

    def _settle(self, dispatch: Dispatch, outcome: Outcome) -> object:
        """Store a checkpoint, or build the report; None when the claim is gone."""
        execution = dispatch.execution
        if execution.is_cancelled:
            return None
        if checkpoints.is_checkpoint(outcome.result):
            try:
                if self._store_checkpoint(dispatch, outcome):
                    return AGAIN
            except CheckpointRefused as refused:
                return self._report(execution, outcomes.checkpoint_not_written(str(refused)))
            execution.cancel()
            return None
        return self._report(execution, outcome, check_result=dispatch.plan.check_result)

    def _store_checkpoint(self, dispatch: Dispatch, outcome: Outcome) -> bool:
        checkpoint = checkpoints.build_checkpoint(
            outcome.result.result or {},
            previous=dispatch.execution.checkpoint,
            history_length=self._settings.checkpoint_history_length,
            max_bytes=self._settings.max_checkpoint_bytes,
        )
        is_held = checkpoints.store_checkpoint(
            dispatch.execution,
            checkpoint,
            lease_seconds=self._lease_seconds,
            may_retry=not dispatch.is_atomic,
        )
        if is_held:
            metrics.STEP_CHECKPOINTS.add(namespace=dispatch.execution.claim.namespace)
            metrics.STEPS_SUBMITTED.add(result_type="checkpoint")
            log.info("step.checkpointed", extra=dispatch.execution.log_fields)
        return is_held

    # --- the handler's own transaction
    def _run_atomically(self, dispatch: Dispatch) -> object:
        """Run the handler and its report in one transaction; only a success commits."""
        execution = dispatch.execution
        before = execution.checkpoint
        committed: list[bool] = []
        found: object = None
        stored = REFUSED
        try:
            with transaction.atomic():
                transaction.on_commit(lambda: committed.append(True))
                found = self._settle(dispatch, self._call(dispatch))
                if found is not AGAIN:
                    found, stored = self._store_success(execution, found)
        except _RolledBack as rolled_back:
            return rolled_back.report
        except Exception as error:
            if not committed:
                execution.checkpoint = before
                failed = dispatch.failed(error, policy=self._settings.exception_policy)
                return self._report(execution, failed)
            # A hook of the handler's own failed, after the commit: the step is stored all the same.
            log.exception("handler.on_commit_failed", extra=execution.log_fields)
        if not isinstance(found, StepReport):
            return found
        execution.is_stored = True
        follow_up([Accepted(execution, found, stored)])
        log_often(log, "step.succeeded", execution.log_fields)
        return None

    def _store_success(self, execution: Execution, found: object) -> tuple[StepReport, Stored]:
        """Store a success inside the handler's transaction; anything else leaves it."""
        if not isinstance(found, StepReport):
            raise _RolledBack(None)
        if not found.success:
            raise _RolledBack(found)
        eventful = Eventful(found)
        if events_of(execution):
            eventful = with_events(
                execution,
                found,
                watchdog=self._watchdog,
                on_overdue=self._report_overdue,
                is_in_transaction=True,
            )
        report, execution.events = eventful
        try:
            stored = store_reports([report])[report.step_uuid]
        except DataError as error:
            outcome = outcomes.not_serializable(str(error), was_success=True)
            raise _RolledBack(self._report(execution, outcome)) from error
        if not stored.is_accepted:
            execution.cancel()
            metrics.STALE_REPORTS.add(namespace=execution.claim.namespace)
            log.warning("step.report_stale", extra=execution.log_fields)
            raise _RolledBack(None)
        return report, stored

    # --- reports
    def _report(
        self, execution: Execution, outcome: Outcome, *, check_result: CheckResult | None = None
    ) -> StepReport:
        if not outcome.result.is_success:
            _log_failure(execution, outcome)
        took_ms = round((time.monotonic() - (execution.started_at or 0)) * 1000)
        execution.took_ms = took_ms
        now = timezone.now()
        return build_report(
            execution.claim,
            outcome,
            run=Run(now - timedelta(milliseconds=took_ms), took_ms, self._worker_id),
            max_result_bytes=self._settings.max_result_bytes,
            check_result=check_result,
        )

    def _report_overdue(self, execution: Execution) -> None:
        """Report a timeout although the handler's thread has not ended (watchdog thread)."""
        execution.is_overdue = execution.is_timed_out = True
        log.warning("handler.overdue", extra=execution.log_fields)
        outcome = outcomes.timed_out(
            execution.claim.name, timeout_seconds=execution.timeout_seconds
        )
        report = self._report(execution, outcome)
        if events_of(execution):
            self._ending.publish_apart(execution, report)
        else:
            self._ending.hand_over(execution, Eventful(report))


def _log_failure(execution: Execution, outcome: Outcome) -> None:
    """Log what the report loop's line about the step cannot say."""
    result = outcome.result
    about = execution.log_fields
    if result.error_type == outcomes.NOT_FOUND:
        log.error("handler.not_found", extra=about | {"error": result.error_message})
    elif "traceback" in result.metadata:
        extra = {"error": result.error_message, "traceback": result.metadata["traceback"]}
        log.warning("handler.raised", extra=about | extra)
