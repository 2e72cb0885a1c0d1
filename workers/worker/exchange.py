"""Results go out and the next claims come in, in one transaction.

Where it can, the task of a result goes on at once (`queries.steps.report_steps`). The steps that
this enqueues mostly are what this worker runs next: it claims them with the very move that enqueues
them, and tells others only of what is left.
"""

import logging
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.db import DatabaseError

from orchestration.conf import EngineSettings, engine_settings
from orchestration.errors import CircuitOpenError
from orchestration.messaging.messages import worker_queue
from orchestration.queries.steps import StepReport, announce_steps
from orchestration.queries.transactions import atomically
from orchestration.runtime import database
from workers.executor import Execution
from workers.executor.storing import Stored, store_reports
from workers.worker.claiming import Claimer, Turn

log = logging.getLogger(__name__)

MOST_STEPS_TO_ADVANCE = 64
"""A larger task goes on in an orchestrator, whose batches look at its steps less often."""


def most_steps_to_advance(settings: EngineSettings) -> int:
    """Return how large a task may be that goes on with a report; 0 when none does.

    Such a task never meets the limit of its steps in flight.
    """
    if not settings.inline_advance:
        return 0
    return min(MOST_STEPS_TO_ADVANCE, settings.max_steps_in_flight_per_task)


class Exchange:
    """Stores reports as `store_reports` does, and claims what follows."""

    def __init__(self, claimer: Claimer) -> None:
        """Claim in the turns of `claimer`."""
        self._claimer = claimer
        self._most_steps = most_steps_to_advance(engine_settings())

    @property
    def claims(self) -> bool:
        """Say whether reports claim what follows at all."""
        return self._most_steps > 0

    def store(
        self, reports: Sequence[StepReport], executions: Sequence[Execution]
    ) -> dict[UUID, Stored]:
        """Store the reports of executions that have ended; where more fails, at least that.

        A report that does not let its task go on is handled by an orchestrator, which sets it aside
        where that fails too.
        """
        if not self.claims:
            return store_reports(reports)
        try:
            return self._store_and_claim(reports, executions)
        except database.CONNECTION_ERRORS:
            raise
        except (DatabaseError, CircuitOpenError) as error:
            log.warning("reports.not_advanced", extra={"error": str(error).strip()})
            return store_reports(reports)

    def _store_and_claim(
        self, reports: Sequence[StepReport], executions: Sequence[Execution]
    ) -> dict[UUID, Stored]:
        namespace, *others = {each.claim.namespace for each in executions}
        with self._claimer.turn(namespace, executions) as turn:
            if turn is None or others:
                return store_reports(reports, advance=self._most_steps)
            return atomically(partial(self._exchange, reports, turn, namespace))

    def _exchange(
        self, reports: Sequence[StepReport], turn: Turn, namespace: str
    ) -> dict[UUID, Stored]:
        turn.claims = []  # those of an attempt that lost a deadlock were rolled back
        stored = store_reports(reports, advance=self._most_steps, take=turn.take)
        enqueued = sum(each.enqueued_steps or 0 for each in stored.values())
        taken = [step for each in stored.values() for step in each.taken_steps or ()]
        is_more_left = turn.claim(taken, enqueued=enqueued)
        if is_more_left and enqueued > len(taken):
            announce_steps(worker_queue(namespace))
        return stored
