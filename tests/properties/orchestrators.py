"""Orchestrators' turns: results, timers, discovery, sweep; and time that passes."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from orchestration.lifecycle import discovery, due_work, sweep
from tests.factories import ticks
from tests.properties.engine import NAMESPACES
from tests.properties.workers import LEASE_SECONDS, WORKERS, Workers

PAUSES_MS = (1, 50, 1000, 61_000, 200_000, 601_000, 25 * 3_600_000 + 13_000)


class Orchestrators(Workers):
    """Rules for what the loops of an orchestrator do."""

    @rule(limit=st.sampled_from([1, 2, 5, 50]))
    def process(self, limit: int) -> None:
        self.take_results(limit)

    @rule(turn=st.sampled_from(["timer", "reap", "discover", "sweep"]))
    def orchestrate(self, turn: str) -> None:
        getattr(self, turn)()

    def timer(self) -> None:
        due_work.start_due_retries(move=ticks.MOVE)
        self.model.start_due_retries()

    def reap(self) -> None:
        assert due_work.reap_lost_claims(move=ticks.MOVE) == self.model.reap()

    def discover(self) -> None:
        admission = discovery.admit_waiting_tasks(limit=self.model.rules.batch, move=ticks.MOVE)
        assert tuple(admission) == self.model.discover()

    def sweep(self) -> None:
        assert sweep.repair_lost_messages(move=ticks.MOVE) == self.model.sweep()
        assert sweep.reevaluate_stuck_tasks(move=ticks.MOVE) == 0

    @rule(pause=st.sampled_from(PAUSES_MS))
    def time_passes(self, pause: int) -> None:
        self.advance(pause)

    @rule(early=st.sampled_from([0, 0, 1]))
    def first_timer_comes_up(self, early: int) -> None:
        """Go to the next due time or end of a lease, or to the moment before; let timers act."""
        times = [step.due for step in self.model.steps if step.due is not None]
        times += [step.lease + 1 for step in self.model.steps if step.lease is not None]
        coming = [moment for moment in times if moment > self.model.now]
        if coming:
            self.advance(min(coming) - self.model.now - early)
        self.timer()
        self.reap()

    @precondition(lambda self: any(claim.is_held for claim in self.claims))
    @rule(worker=st.sampled_from(WORKERS), limit=st.sampled_from([1, 5, 50]))
    def workers_hang(self, worker: UUID, limit: int) -> None:
        """Let every lease end, and others take over; who held the claims may still speak up."""
        self.advance(LEASE_SECONDS * 1000 + 1)
        self.reap()
        for namespace in NAMESPACES:
            self.take(worker, limit, namespace)
