"""Workers' turns: claim, report, beat, checkpoint, release; by those who lost their claim, too."""

from itertools import count, cycle
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from orchestration.lifecycle import result_processor
from orchestration.messaging.messages import worker_queue
from orchestration.queries import steps
from orchestration.queries.steps import (
    TAKE_NOTHING,
    Claim,
    StepReport,
    StepVerdict,
    Take,
)
from tests.factories import ticks
from tests.factories.histories import LETTERS
from tests.properties import engine
from tests.properties.engine import NAMESPACES
from tests.properties.stage import ANY, Stage
from tests.properties.subjects import ClaimModel

WORKERS = tuple(uuid4() for _ in range(3))
LEASE_SECONDS = 600  # real time, which visibility follows, must never matter
OUTCOMES = ("success", "success", "success", "retryable", "unsaid", "permanent", "lie", "later")
WAYS = ("message", "advancing", "taking")
MOST_TAKEN = 2
ASKED_SECONDS = 7.5
GIVEN_CLAIMS = 12
tokens = count(1)


class Workers(Stage):
    """Rules for whoever runs steps."""

    @rule(
        worker=st.sampled_from(WORKERS),
        limit=st.sampled_from([1, 2, 5, 50]),
        namespace=st.sampled_from(NAMESPACES),
    )
    def claim(self, worker: UUID, limit: int, namespace: str) -> None:
        self.take(worker, limit, namespace)

    @rule(
        limit=st.sampled_from([1, 2, 5]),
        outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=3),
        results=st.sampled_from([1, 3, 50]),
        way=st.sampled_from(WAYS),
    )
    def work(self, limit: int, outcomes: list[str], results: int, way: str) -> None:
        """Do what mostly happens: claim, report, process."""
        for namespace in NAMESPACES:
            for claim, outcome in zip(
                self.take(WORKERS[0], limit, namespace), cycle(outcomes), strict=False
            ):
                self.send_report(claim, outcome, way)
        self.take_results(results)

    def take(self, worker: UUID, limit: int, namespace: str) -> list[ClaimModel]:
        """Claim, and compare what a handler is given."""
        candidates = self.model.claimable(namespace)
        found = steps.claim_steps(
            worker_queue(namespace), worker_uuid=worker, limit=limit, lease_seconds=LEASE_SECONDS
        )
        assert len(found) == min(limit, len(candidates))
        return self.note_claims(found, namespace)

    def note_claims(self, found: list[Claim], namespace: str) -> list[ClaimModel]:
        candidates = {step.uuid: step for step in self.model.claimable(namespace)}
        taken = []
        for given in found:
            step = candidates.pop(given.workflow_step_uuid)
            claim = self.model.claim(step, given, lease_ms=LEASE_SECONDS * 1000)
            assert (given.attempts, given.state_version) == (step.attempts, claim.version)
            assert (given.name, given.task_uuid) == (step.plan.name, step.task.uuid)
            assert (given.checkpoint or {}).get("cursor") == step.cursor
            assert seen(given.dependency_results) == step.visible_results()
            taken.append(claim)
        self.claims = (self.claims + taken)[-GIVEN_CLAIMS:]
        return taken

    @precondition(lambda self: self.claims)
    @rule(
        places=st.lists(ANY, min_size=1, max_size=3),
        outcome=st.sampled_from(OUTCOMES),
        by_zombie=st.booleans(),
        way=st.sampled_from(WAYS),
    )
    def report(self, places: list[int], outcome: str, by_zombie: bool, way: str) -> None:
        for place in places:
            self.send_report(self.pick_claim(place, by_zombie), outcome, way)

    def pick_claim(self, place: int, by_zombie: bool) -> ClaimModel:
        """Return a claim, or one whose step somebody else has claimed since, if there is one."""
        zombies = [
            claim
            for claim in self.claims
            if claim.step.state == "in_progress" and not claim.is_held
        ]
        chosen = (by_zombie and zombies) or self.claims
        return chosen[place % len(chosen)]

    def send_report(self, claim: ClaimModel, outcome: str, way: str) -> None:
        """Report, and let the task go on with it where that may be."""
        token = next(tokens)
        sent = report_of(claim.engine, outcome, token)
        accepted = self.model.report(
            claim,
            (outcome == "success", token if outcome == "success" else None),
            says_success=sent.success,
            wants_retry=outcome != "permanent",
            asked_seconds=ASKED_SECONDS if outcome == "later" else None,
        )
        most_steps = 0 if way == "message" else self.model.rules.limit
        take = Take(MOST_TAKEN, LEASE_SECONDS) if way == "taking" else TAKE_NOTHING
        verdict = steps.report_steps([sent], advance=most_steps, take=take)[sent.step_uuid]
        assert verdict.accepted == accepted
        if not accepted:
            return
        step = claim.step
        self.old_messages.append((step.task.uuid, step.uuid, step.version))
        goes_on = (
            outcome == "success" and step.task.state == "S" and len(step.task.steps) <= most_steps
        )
        assert (verdict.task_state is not None) == goes_on
        if verdict.task_state is not None:
            self.model.process([(step.uuid, step.version)])
            assert LETTERS[verdict.task_state] == step.task.state
            self.note_taken(step.task.namespace, verdict, take)

    def note_taken(self, namespace: str, verdict: StepVerdict, take: Take) -> None:
        """Compare what was claimed with a report; the model enqueues first and claims then."""
        taken = verdict.taken_steps or []
        assert len(taken) == min(take.take or 0, verdict.enqueued_steps or 0)
        found = steps.claim_steps(
            worker_queue(namespace),
            worker_uuid=WORKERS[0],
            limit=0,
            lease_seconds=LEASE_SECONDS,
            taken=taken,
        )
        assert {claim.workflow_step_uuid for claim in found} == set(taken)
        for claim in self.note_claims(found, namespace):
            claim.step.has_message = claim.step.has_queue_id = False

    @precondition(lambda self: self.claims)
    @rule(
        what=st.sampled_from(["beat", "checkpoint", "release"]),
        place=ANY,
        by_zombie=st.booleans(),
    )
    def tend_a_claim(self, what: str, place: int, by_zombie: bool) -> None:
        """Prolong, note progress or hand back; a claim that was taken back is refused."""
        claim = self.pick_claim(place, by_zombie)
        named = [(claim.step.uuid, claim.version)]
        if what == "beat":
            answered = bool(steps.extend_leases(named, lease_seconds=LEASE_SECONDS))
            assert answered == self.model.prolong(claim, lease_ms=LEASE_SECONDS * 1000)
        elif what == "release":
            assert bool(steps.release_steps(named)) == self.model.release(claim)
        else:
            stored = steps.save_checkpoint(
                claim.step.uuid,
                state_version=claim.version,
                checkpoint={"cursor": place, "items_processed": place},
                lease_seconds=LEASE_SECONDS,
            )
            lease_ms = LEASE_SECONDS * 1000
            assert stored == self.model.prolong(claim, lease_ms=lease_ms, cursor=place)

    def take_results(self, limit: int) -> None:
        batch = engine.take_picture(self.start).results[:limit]
        done = result_processor.process_results(limit=limit, move=ticks.MOVE)
        assert done == len(batch)
        usable = [message for message in batch if message is not None]
        if len(usable) == len(batch):
            self.model.process(usable)
        else:  # such a batch is rolled back, and its messages are handled one by one
            self.poison -= len(batch) - len(usable)
            for message in usable:
                self.model.process([message])


def report_of(claim: Claim, outcome: str, token: int) -> StepReport:
    """Return what a worker sends about a claim."""
    if outcome == "success":
        return ticks.success(claim, {"token": token})
    if outcome == "lie":  # says success, but the stored result is none
        return ticks.failure(claim)._replace(success=True)
    if outcome == "later":
        return ticks.failure(claim, backoff_hint={"delay_seconds": ASKED_SECONDS})
    sent = ticks.failure(claim, retryable=outcome != "permanent")
    return sent._replace(results='{"success": false}') if outcome == "unsaid" else sent


def seen(dependency_results: dict[str, Any]) -> dict[str, tuple[bool, Any]]:
    """Return what a handler sees, as the model has it."""
    return {
        name: (results["success"], results["result"]["token"] if results["success"] else None)
        for name, results in dependency_results.items()
    }
