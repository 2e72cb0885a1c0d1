"""Reports that let their task go on by themselves: as an orchestrator would, or not at all."""

import threading
from uuid import UUID

import pytest
from django.db import connections, transaction
from django.utils import timezone

from orchestration.lifecycle import due_work
from orchestration.messaging import pgmq
from orchestration.messaging.messages import worker_queue
from orchestration.models import StepTransition, WorkflowStep
from orchestration.queries.steps import (
    Claim,
    StepReport,
    StepVerdict,
    Take,
    claim_steps,
    extend_leases,
    release_steps,
    report_steps,
)
from orchestration.queries.tasks import lock_tasks
from orchestration.testing import batch, decision, fan_in, linear, shape
from templates_registry.schema import TaskTemplate
from tests.factories import ticks
from tests.factories.histories import states, step_histories, task_history

MOST_STEPS = 64
LEASE_SECONDS = 30


def begin(template: TaskTemplate) -> dict[str, Claim]:
    """Start a task and claim its roots."""
    ticks.start(template)
    return {claim.name: claim for claim in ticks.claim()}


def advance(*reports: StepReport, most_steps: int = MOST_STEPS) -> list[StepVerdict]:
    verdicts = report_steps(reports, advance=most_steps)
    return [verdicts[report.step_uuid] for report in reports]


def waiting_results() -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pgmq.q_orchestration_step_results")
        return int(cursor.fetchone()[0])


def lives(claims: dict[str, Claim]) -> tuple[str, dict[str, str]]:
    """Return the history of the task and of each of its steps."""
    task_uuid = next(iter(claims.values())).task_uuid
    return task_history(task_uuid), step_histories(task_uuid)


CASES: dict[str, tuple[TaskTemplate, str | None, str, int]] = {
    "enqueues": (linear(2), None, "steps_in_process", 1),
    "finishes": (linear(1), None, "complete", 0),
    "joins": (fan_in(3), None, "steps_in_process", 1),
    "waits for a retry": (fan_in(2), "soon", "waiting_for_retry", 0),
    "is blocked": (fan_in(2), "never", "blocked_by_failures", 0),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES)
def test_a_task_goes_on_as_an_orchestrator_would_let_it(case):
    template, fails_until, state, enqueued = CASES[case]
    all_lives = []
    for goes_on in (True, False):
        claims = begin(template.model_copy(update={"name": f"task_{goes_on}"}))
        if fails_until:
            failing = claims.pop(min(claims))
            ticks.report(ticks.failure(failing, retryable=fails_until == "soon"))
            ticks.process()
        reports = [ticks.success(claim) for claim in claims.values()]
        if goes_on:
            verdicts = advance(*reports)
            assert {verdict.task_state for verdict in verdicts} == {state}
            assert sum(verdict.enqueued_steps or 0 for verdict in verdicts) == enqueued
            assert waiting_results() == 0
        else:
            ticks.report(*reports)
            ticks.process()
        all_lives.append(lives(claims))
        ticks.assert_invariants()
        ticks.claim()  # out of the way of the next one

    assert all_lives[0] == all_lives[1]


@pytest.mark.django_db
def test_a_step_taken_with_a_report_is_claimed_like_any_other_but_has_no_message():
    found = []
    for takes in (True, False):
        first = begin(linear(2).model_copy(update={"name": f"task_{takes}"}))["step_1"]
        taken: list[UUID] = []
        if takes:
            report = ticks.success(first)
            verdict = report_steps([report], advance=MOST_STEPS, take=Take(5, LEASE_SECONDS))
            taken = verdict[report.step_uuid].taken_steps or []
        else:
            advance(ticks.success(first))
        (claim,) = claim_steps(
            worker_queue("test"),
            worker_uuid=ticks.WORKER,
            limit=0 if takes else 5,
            lease_seconds=LEASE_SECONDS,
            taken=taken,
        )
        assert pgmq.metrics(worker_queue("test")).depth == (0 if takes else 1)
        assert (claim.msg_id is None) == takes
        found.append((_known_of(claim), _moves_of(claim), lives({"step_2": claim})))
        ticks.assert_invariants()

    assert found[0] == found[1]


def _known_of(claim: Claim) -> tuple[object, ...]:
    step = WorkflowStep.objects.get(pk=claim.workflow_step_uuid)
    return (
        (claim.name, claim.state_version, claim.attempts, sorted(claim.dependency_results)),
        (step.state, step.claimed_by, step.attempts, step.queue_msg_id == claim.msg_id),
        round((claim.lease_until - timezone.now()).total_seconds()),
    )


def _moves_of(claim: Claim) -> list[tuple[object, ...]]:
    moves = StepTransition.objects.filter(workflow_step_id=claim.workflow_step_uuid)
    return list(
        moves.order_by("sort_key").values_list(
            "from_state", "to_state", "event", "attempt", "worker_uuid"
        )
    )


def take_second_step() -> Claim:
    """Report the first of two steps and take the second with that."""
    report = ticks.success(begin(linear(2))["step_1"])
    verdict = report_steps([report], advance=MOST_STEPS, take=Take(5, LEASE_SECONDS))
    (claim,) = claim_steps(
        worker_queue("test"),
        worker_uuid=ticks.WORKER,
        limit=0,
        lease_seconds=LEASE_SECONDS,
        taken=verdict[report.step_uuid].taken_steps or [],
    )
    return claim


@pytest.mark.django_db
def test_a_taken_step_that_is_handed_back_gets_a_message():
    claim = take_second_step()

    assert release_steps([(claim.workflow_step_uuid, claim.state_version)])

    ticks.assert_invariants()
    (again,) = ticks.claim()
    assert (again.workflow_step_uuid, again.attempts) == (claim.workflow_step_uuid, 1)


@pytest.mark.django_db
def test_a_taken_step_of_a_lost_worker_gets_a_message(clock):
    claim = take_second_step()
    held = extend_leases([(claim.workflow_step_uuid, claim.state_version)], lease_seconds=60)
    clock.advance(59)
    assert due_work.reap_lost_claims(move=ticks.MOVE) == 0
    clock.advance(2)

    assert due_work.reap_lost_claims(move=ticks.MOVE) == 1

    ticks.assert_invariants()
    (again,) = ticks.claim()
    assert [again.workflow_step_uuid] == list(held)
    assert again.attempts == 2


@pytest.mark.django_db
def test_no_more_steps_are_taken_than_asked_for():
    wide = shape("wide", {"root": [], "a": ["root"], "b": ["root"], "c": ["root"]})
    (claim,) = begin(wide).values()
    report = ticks.success(claim)

    verdict = report_steps([report], advance=MOST_STEPS, take=Take(2, LEASE_SECONDS))[
        report.step_uuid
    ]

    assert verdict.enqueued_steps == 3
    assert len(verdict.taken_steps or []) == 2
    assert sorted(states(claim.task_uuid).values()) == [
        "complete",
        "enqueued",
        "in_progress",
        "in_progress",
    ]
    ticks.assert_invariants()


@pytest.mark.django_db
def test_siblings_that_are_still_running_keep_the_task_where_it_is():
    claims = begin(fan_in(2))

    (verdict,) = advance(ticks.success(claims["root_1"]))

    assert (verdict.task_state, verdict.enqueued_steps) == ("steps_in_process", 0)
    assert task_history(claims["root_1"].task_uuid).endswith("S E S")


@pytest.mark.django_db
def test_a_stale_report_moves_nothing():
    claims = begin(linear(2))
    report = ticks.success(claims["step_1"])
    advance(report)
    before = lives(claims)

    (verdict,) = advance(report)

    assert not verdict.accepted
    assert verdict.task_state is None
    assert lives(claims) == before


@pytest.mark.django_db
@pytest.mark.parametrize("template", [decision(2), batch(2)], ids=["decision", "batchable"])
def test_what_says_which_steps_follow_is_left_to_an_orchestrator(template):
    claims = begin(template)
    while not any(claim.step_type in ("decision", "batchable") for claim in claims.values()):
        advance(*map(ticks.success, claims.values()))
        claims = {claim.name: claim for claim in ticks.claim()}

    (verdict,) = advance(*map(ticks.success, claims.values()))

    assert verdict.accepted
    assert verdict.task_state is None
    assert waiting_results() == 1


@pytest.mark.django_db
def test_a_failure_is_left_to_an_orchestrator():
    claims = begin(linear(2))

    (verdict,) = advance(ticks.failure(claims["step_1"]))

    assert verdict.task_state is None
    assert waiting_results() == 1


@pytest.mark.django_db
def test_a_success_whose_stored_result_says_otherwise_is_left_to_an_orchestrator():
    claims = begin(linear(2))

    (verdict,) = advance(ticks.failure(claims["step_1"])._replace(success=True))

    assert verdict.task_state is None
    assert waiting_results() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("most_steps", "goes_on"), [(3, True), (2, False)])
def test_only_a_task_of_so_many_steps_goes_on(most_steps, goes_on):
    claims = begin(linear(3))

    (verdict,) = advance(ticks.success(claims["step_1"]), most_steps=most_steps)

    assert (verdict.task_state is not None) == goes_on
    assert waiting_results() == (0 if goes_on else 1)


@pytest.mark.django_db(transaction=True)
def test_a_report_does_not_wait_for_whoever_holds_its_task():
    claims = begin(linear(2))
    found: list[StepVerdict] = []

    def report() -> None:
        found.extend(advance(ticks.success(claims["step_1"])))
        connections.close_all()

    with transaction.atomic():
        lock_tasks([claims["step_1"].task_uuid])
        reporting = threading.Thread(target=report)
        reporting.start()
        reporting.join(10)
        assert not reporting.is_alive()

    assert found[0].accepted
    assert found[0].task_state is None
    assert states(claims["step_1"].task_uuid)["step_1"] == "enqueued_for_orchestration"
    assert ticks.process() == 1
    assert states(claims["step_1"].task_uuid)["step_2"] == "enqueued"
