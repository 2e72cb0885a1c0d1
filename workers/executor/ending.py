"""The end of an execution: its report is handed over once, together with its events.

Publishers run between a handler's end and the hand-over. One that hangs costs its events and keeps
its thread, never the result.
"""

import logging
import threading
from collections.abc import Callable

from orchestration import metrics
from orchestration.queries.steps import StepReport
from orchestration.runtime import database
from workers.executor.execution import Execution
from workers.executor.publishing import Eventful, events_of, with_events
from workers.executor.thread_connections import check_connections, clean_connections
from workers.executor.watchdog import Watchdog

log = logging.getLogger(__name__)

OnDone = Callable[[Execution, StepReport | None], None]


class Ending:
    """Brings reports to `on_done`, from whichever thread."""

    def __init__(self, watchdog: Watchdog, *, on_done: OnDone) -> None:
        self._watchdog = watchdog
        self._on_done = on_done

    def publish(self, execution: Execution, report: StepReport) -> None:
        """Hand over a report with its events; without them when a publisher hangs."""
        if not events_of(execution) or execution.is_cancelled:
            self.hand_over(execution, Eventful(report))
            return

        def give_up(execution: Execution) -> None:
            execution.is_overdue = True
            self.hand_over(execution, Eventful(report))

        outer = check_connections()
        found = with_events(execution, report, watchdog=self._watchdog, on_overdue=give_up)
        clean_connections(outer, is_interrupted=execution.is_interrupted)
        self.hand_over(execution, found)

    def publish_apart(self, execution: Execution, report: StepReport) -> None:
        """Publish a report's events and hand it over, on a thread of its own.

        For threads that must not wait for publishers.
        """

        def work() -> None:
            self.publish(execution, report)
            database.release_connections()

        threading.Thread(target=work, name="tasker-report", daemon=True).start()

    def hand_over(self, execution: Execution, ended: Eventful | None) -> None:
        """Hand over what an execution ended with, nothing when it was cancelled; only once."""
        if not execution.end_once():
            return
        if execution.is_timed_out:
            claim = execution.claim
            metrics.STEPS_TIMED_OUT.add(namespace=claim.namespace, step=claim.template_step_name)
            log.warning("step.timed_out", extra=execution.log_fields)
        if ended is None or execution.is_cancelled:
            self._on_done(execution, None)
            return
        execution.events = ended.events
        self._on_done(execution, ended.report)
