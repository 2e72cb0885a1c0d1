"""Timers: due retries and lost claims, engine.md 6.7 and 13.6."""

from uuid import uuid4

import pytest

from orchestration.lifecycle import due_work
from orchestration.messaging import pgmq
from orchestration.models import TaskerProcess, WorkflowStep
from orchestration.queries import steps
from orchestration.queries.processes import ProcessRow, register_process
from orchestration.queries.recovery import engine_now, seconds_until_due
from orchestration.testing import linear, shape
from tests.factories import ticks
from tests.factories.histories import RAN_TWICE, states, step_histories, task_history

QUEUE = "worker_test_queue"
SLOW = {"retry": {"backoff": "linear", "backoff_base_ms": 60_000, "max_attempts": 2}}
ONCE = {"retry": {"max_attempts": 1}}


def reap():
    return due_work.reap_lost_claims(move=ticks.MOVE)


def step_of(name):
    return WorkflowStep.objects.get(name=name)


def worker(uuid, *, has_lock=False):
    register_process(
        ProcessRow(
            worker_uuid=uuid,
            kind="worker",
            name="w",
            hostname="h",
            pid=1,
            version="1",
            environment="test",
            namespaces=["test"],
            handlers=[],
            slots=1,
            deployment_mode="Hybrid",
            has_liveness_lock=has_lock,
        )
    )
    return uuid


@pytest.mark.django_db
def test_nothing_is_due_while_nothing_waits():
    ticks.start(linear(1))

    assert due_work.start_due_retries(move=ticks.MOVE) == 0
    assert seconds_until_due() is None


@pytest.mark.django_db
def test_due_time_is_known_and_retries_start_then(clock):
    made = [ticks.start(linear(1, steps={"step_1": SLOW})) for _ in range(3)]
    ticks.report(*map(ticks.failure, ticks.claim()))
    ticks.process()
    seconds = seconds_until_due()
    assert seconds is not None

    clock.advance(seconds)
    started = due_work.start_due_retries(move=ticks.MOVE)

    assert started == 3
    assert {task_history(each.task_uuid) for each in made} == {"P I Q S E:step_failed R Q S"}
    assert pgmq.metrics(QUEUE).depth == 3


@pytest.mark.django_db
def test_due_retries_start_once_when_two_orchestrators_look(clock):
    created = ticks.start(linear(1, steps={"step_1": SLOW}))
    ticks.fail_step()
    clock.advance(61)

    started = [due_work.start_due_retries(move=ticks.MOVE) for _ in range(2)]
    ticks.run_step()

    assert started == [1, 0]
    assert step_histories(created.task_uuid) == {"step_1": RAN_TWICE}


@pytest.mark.django_db
def test_claim_with_a_live_lease_is_left_alone(clock):
    ticks.start(linear(1))
    ticks.claim()

    clock.advance(29)

    assert reap() == 0
    assert step_of("step_1").state == "in_progress"


@pytest.mark.django_db
def test_heartbeat_keeps_a_claim(clock):
    ticks.start(linear(1))
    (claimed,) = ticks.claim()
    clock.advance(20)

    held = steps.extend_leases(
        [(claimed.workflow_step_uuid, claimed.state_version)], lease_seconds=30
    )
    clock.advance(20)

    assert list(held) == [claimed.workflow_step_uuid]
    assert reap() == 0


@pytest.mark.django_db
def test_expired_claim_goes_back_and_runs_again(clock):
    created = ticks.start(linear(1))
    (lost,) = ticks.claim()
    clock.advance(31)

    reaped = reap()
    (again,) = ticks.claim(worker=uuid4())
    accepted = ticks.report(ticks.success(lost)) + ticks.report(ticks.success(again))
    ticks.process()

    assert reaped == 1
    assert accepted == [False, True]
    assert step_histories(created.task_uuid) == {
        "step_1": "pending enqueued in_progress enqueued:worker_lost in_progress efo complete"
    }
    step = step_of("step_1")
    assert (step.attempts, step.requeue_count) == (2, 1)
    assert task_history(created.task_uuid) == "P I Q S E C"


@pytest.mark.django_db
@pytest.mark.parametrize("policy", [ONCE, {"retry": {"retryable": False}}])
def test_expired_claim_fails_when_no_attempt_is_left(policy, clock):
    created = ticks.start(linear(2, steps={"step_1": policy}))
    ticks.claim()
    clock.advance(31)

    reap()

    assert step_histories(created.task_uuid)["step_1"] == (
        "pending enqueued in_progress error:worker_lost"
    )
    assert task_history(created.task_uuid) == "P I Q S E:step_failed B"
    step = step_of("step_1")
    assert step.results["error"]["error_type"] == "worker_lost"
    assert step.results["success"] is False
    assert pgmq.metrics(QUEUE).depth == 0


@pytest.mark.django_db
def test_expired_claim_and_living_sibling_of_one_task_are_told_apart(clock):
    created = ticks.start(shape("pair", {"a": [], "b": []}, steps={"a": ONCE}))
    _, b = ticks.claim()
    clock.advance(20)
    steps.extend_leases([(b.workflow_step_uuid, b.state_version)], lease_seconds=30)
    clock.advance(11)

    reap()

    assert states(created.task_uuid) == {"a": "error", "b": "in_progress"}
    assert task_history(created.task_uuid) == "P I Q S E:step_failed S"


@pytest.mark.django_db
def test_message_that_is_gone_is_sent_anew_for_a_reaped_step(clock):
    ticks.start(linear(1))
    (claimed,) = ticks.claim()
    pgmq.delete(QUEUE, claimed.msg_id or 0)
    clock.advance(31)

    reap()

    step = step_of("step_1")
    assert step.queue_msg_id != claimed.msg_id
    assert [each.name for each in ticks.claim()] == ["step_1"]


# ------------------------------------------------------------ liveness lock


@pytest.mark.django_db
def test_claims_of_a_worker_without_its_lock_go_back_after_a_second(clock):
    ticks.start(linear(1))
    dead = worker(uuid4(), has_lock=True)
    ticks.claim(worker=dead)

    first = reap()
    clock.advance(0.5)
    second = reap()
    clock.advance(0.7)
    third = reap()

    assert (first, second, third) == (0, 0, 1)
    assert step_of("step_1").state == "enqueued"
    assert TaskerProcess.objects.get(pk=dead).status == "lost"


@pytest.mark.django_db
def test_free_lock_that_is_only_noted_takes_nothing_back_before_somebody_judges(clock):
    """The look of an orchestrator that has just lost the database saves the next one its wait."""
    ticks.start(linear(1))
    dead = worker(uuid4(), has_lock=True)
    ticks.claim(worker=dead)

    noted = due_work.look_for_lost_claims(move=ticks.MOVE, judges=False).taken_back
    clock.advance(31)  # its lease has ended, too
    noted_again = due_work.look_for_lost_claims(move=ticks.MOVE, judges=False).taken_back
    status = TaskerProcess.objects.get(pk=dead).status

    assert (noted, noted_again, status, reap()) == (0, 0, "running", 1)
    assert TaskerProcess.objects.get(pk=dead).status == "lost"


@pytest.mark.django_db
def test_claim_of_a_worker_that_came_back_is_its_own(clock):
    """A worker that was frozen claims again before its heartbeat has told that it lives."""
    ticks.start(linear(1))
    frozen = worker(uuid4(), has_lock=True)
    reap()
    clock.advance(2.5)
    reap()
    assert TaskerProcess.objects.get(pk=frozen).status == "lost"
    clock.advance(1)
    ticks.claim(worker=frozen)

    early = reap()
    clock.advance(31)

    assert (early, reap()) == (0, 1)  # its lease decides, as for everybody


@pytest.mark.django_db
def test_claims_that_were_out_of_reach_when_their_worker_was_lost_go_back_later(clock):
    ticks.start(linear(1))
    dead = worker(uuid4(), has_lock=True)
    ticks.claim(worker=dead)
    clock.advance(1)
    TaskerProcess.objects.filter(pk=dead).update(status="lost", stopped_at=engine_now())
    clock.advance(5)

    assert reap() == 1


@pytest.mark.django_db(transaction=True)
def test_worker_that_holds_its_lock_is_never_lost(clock, second_connection):
    ticks.start(linear(1))
    alive = worker(uuid4(), has_lock=True)
    ticks.claim(worker=alive)
    second_connection(f"SELECT pg_advisory_lock(hashtextextended('{alive}', 0))::text")

    reap()
    clock.advance(20)
    reaped = reap()

    assert reaped == 0
    assert TaskerProcess.objects.get(pk=alive).lock_missing_since is None


@pytest.mark.django_db
def test_worker_without_lock_is_judged_by_its_leases_alone(clock):
    ticks.start(linear(1))
    polling = worker(uuid4(), has_lock=False)
    ticks.claim(worker=polling)

    reap()
    clock.advance(20)
    early = reap()
    clock.advance(11)

    assert (early, reap()) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_task_that_somebody_holds_is_left_for_the_next_round(clock, second_connection):
    ticks.start(linear(1))
    ticks.claim()
    clock.advance(31)
    second_connection("BEGIN")
    second_connection("SELECT 1 FROM tasker_tasks FOR NO KEY UPDATE")

    while_held = reap()
    second_connection("ROLLBACK")

    assert (while_held, reap()) == (0, 1)


@pytest.mark.django_db
def test_released_claim_does_not_count_as_an_attempt():
    created = ticks.start(linear(1, steps={"step_1": ONCE}))
    (claimed,) = ticks.claim()

    released = steps.release_steps([(claimed.workflow_step_uuid, claimed.state_version)])
    again = steps.release_steps([(claimed.workflow_step_uuid, claimed.state_version)])
    ticks.run_step()

    assert (released, again) == ([claimed.workflow_step_uuid], [])
    assert step_histories(created.task_uuid) == {
        "step_1": "pending enqueued in_progress enqueued:release in_progress efo complete"
    }
    assert step_of("step_1").attempts == 1


@pytest.mark.django_db
def test_locks_are_not_looked_at_when_that_is_switched_off(clock, settings):
    settings.TASKER = {**settings.TASKER, "liveness_check_seconds": 0}
    ticks.start(linear(1))
    ticks.claim(worker=worker(uuid4(), has_lock=True))

    reap()
    clock.advance(20)
    early = reap()
    clock.advance(11)

    assert (early, reap()) == (0, 1)
