"""What the loops do while a statement of theirs fails again and again on a working connection.

A queue whose table is locked is a queue whose reads take too long; a test's time limit makes that
quick.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import OperationalError, connections

from orchestration.errors import CircuitOpenError
from orchestration.lifecycle import discovery, request_processor, result_processor
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import Task
from orchestration.queries.steps import Claim
from orchestration.runtime.breaker import MESSAGING, TASK_READINESS, State, breaker
from orchestration.runtime.pool_size import PoolSize
from orchestration.testing import linear
from tests.factories import ticks
from workers.worker.claiming import Claimer, Pace
from workers.worker.slots import Slots

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Keep everybody away from a table, while statements may take 50 ms only."""
    held = connections["default"].copy()
    held.set_autocommit(False)
    limit("50ms")
    try:
        with held.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        held.rollback()
        held.close()
        limit("5s")


def limit(time: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [time])


@pytest.fixture(autouse=True)
def _short(settings):
    settings.TASKER = {"breaker_messaging": "3,60,1,2", "breaker_task_readiness": "3,60,1,2"}


def reported_task() -> Task:
    created = ticks.start(linear(1))
    (claim,) = ticks.claim()
    ticks.report(ticks.success(claim))
    return Task.objects.get(pk=created.task_uuid)


def test_results_are_not_read_while_reads_fail_and_go_on_afterwards(eventually):
    task = reported_task()
    with locked(f"pgmq.q_{RESULTS_QUEUE}"):
        for _ in range(3):
            with pytest.raises(OperationalError):
                ticks.process()
        with pytest.raises(CircuitOpenError):
            ticks.process()
        with pytest.raises(CircuitOpenError):
            request_processor.process_requests(limit=1, actor="x")
        assert breaker(MESSAGING).state is State.OPEN

    with pytest.raises(CircuitOpenError):
        ticks.process()
    eventually(lambda: breaker(MESSAGING).state is State.HALF_OPEN)
    assert ticks.process() == 1

    task.refresh_from_db()
    assert task.state == "complete"
    assert ticks.process() == 0
    assert breaker(MESSAGING).state is State.CLOSED
    ticks.assert_invariants()


def test_claims_stop_while_reads_fail_and_nothing_is_forgotten(eventually):
    ticks.start(linear(1))
    slots = Slots(PoolSize("handlers", minimum=2, maximum=2, database_share=lambda: 0.0))
    claims: list[Claim] = []
    pace = Pace(lease_seconds=30, poll_seconds=lambda: 60.0, shed_claims_at=0.8)
    claimer = Claimer(["test"], worker_uuid=uuid4(), slots=slots, begin=claims.append, pace=pace)
    with locked("pgmq.q_worker_test_queue"):
        for _ in range(3):
            with pytest.raises(OperationalError):
                claimer.run_once()
    with pytest.raises(CircuitOpenError):
        claimer.run_once()

    assert claimer.may_have_work
    eventually(lambda: breaker(MESSAGING).state is State.HALF_OPEN)
    assert claimer.run_once() == 1
    assert len(claims) == 1


def test_reports_leases_and_deletions_are_never_held_back():
    task = ticks.start(linear(1))
    (claim,) = ticks.claim()
    for _ in range(3):
        breaker(MESSAGING).record(is_failure=True)

    assert ticks.report(ticks.success(claim)) == [True]
    with pytest.raises(CircuitOpenError):
        pgmq.read(RESULTS_QUEUE, limit=1, visibility_seconds=1)
    assert pgmq.send(RESULTS_QUEUE, {"a": 1})
    assert task.created


def test_messages_that_cannot_be_used_do_not_open_the_breaker():
    for _ in range(10):
        pgmq.send(RESULTS_QUEUE, {"task_uuid": "no uuid"})

    assert ticks.process() == 10

    assert breaker(MESSAGING).state is State.CLOSED


@pytest.fixture
def slow_discovery(transactional_db):
    """Make the look for ready tasks take too long; results need it not."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "ALTER FUNCTION get_next_ready_tasks(int, text[]) RENAME TO kept;"
            "CREATE FUNCTION get_next_ready_tasks(int, text[]) RETURNS TABLE ("
            " task_uuid uuid, task_name varchar, priority int, namespace_name varchar,"
            " ready_steps_count bigint, computed_priority numeric, current_state varchar)"
            " LANGUAGE sql AS $$ SELECT k.* FROM pg_sleep(5), kept($1, $2) AS k $$"
        )
    limit("100ms")
    yield
    limit("5s")
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "DROP FUNCTION get_next_ready_tasks(int, text[]);"
            "ALTER FUNCTION kept(int, text[]) RENAME TO get_next_ready_tasks"
        )


def test_discovery_pauses_and_results_are_processed_all_the_same(slow_discovery):
    limit("5s")
    task = reported_task()
    limit("100ms")
    for _ in range(3):
        with pytest.raises(OperationalError):
            discovery.admit_waiting_tasks(limit=10, move=ticks.MOVE)
    limit("5s")

    with pytest.raises(CircuitOpenError) as caught:
        discovery.admit_waiting_tasks(limit=10, move=ticks.MOVE)
    assert caught.value.breaker == TASK_READINESS
    assert result_processor.process_results(limit=10, move=ticks.MOVE) == 1

    task.refresh_from_db()
    assert task.state == "complete"
    assert breaker(MESSAGING).state is State.CLOSED
