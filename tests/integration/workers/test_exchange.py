"""One transaction in which results go out and the next claims come in."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from orchestration import sql
from orchestration.conf import engine_settings
from orchestration.errors import CircuitOpenError
from orchestration.messaging import pgmq
from orchestration.messaging.listener import open_direct_connection
from orchestration.messaging.messages import ready_channel, worker_queue
from orchestration.queries.steps import Claim
from orchestration.runtime.pool_size import PoolSize
from orchestration.testing import fan_in, linear, shape
from templates_registry.schema import TaskTemplate
from tests.factories import ticks
from tests.factories.histories import states
from workers.context import Progress
from workers.executor import Execution
from workers.worker import claiming, exchange
from workers.worker.claiming import MOST_TAKING_TURNS, Claimer, Pace
from workers.worker.exchange import Exchange, most_steps_to_advance
from workers.worker.slots import Slots

pytestmark = pytest.mark.django_db(transaction=True)
SLOTS = 3


class Bench:
    """A worker's slots, claimer and exchange; handlers return when the test says so."""

    def __init__(self) -> None:
        self.running: list[Execution] = []
        self.slots = Slots(
            PoolSize("handlers", minimum=SLOTS, maximum=SLOTS, database_share=lambda: 0.0)
        )
        self.claimer = Claimer(
            ["test"],
            worker_uuid=uuid4(),
            slots=self.slots,
            begin=self._begin,
            pace=Pace(lease_seconds=30, poll_seconds=lambda: 60.0, shed_claims_at=0.8),
        )
        self.exchange = Exchange(self.claimer)

    def _begin(self, claim: Claim) -> None:
        execution = Execution(claim, progress=Progress(), timeout_seconds=60)
        self.slots.take(execution)
        self.running.append(execution)

    def claim(self) -> None:
        while self.claimer.run_once():
            pass

    def finish(self) -> list[bool]:
        """Report everything that runs, whose threads have not gone yet; return the verdicts."""
        ended, self.running = self.running, []
        reports = [ticks.success(each.claim) for each in ended]
        stored = self.exchange.store(reports, ended)
        for each in ended:
            self.slots.free_slot(each)
            self.slots.settle(each)
        return [stored[report.step_uuid].is_accepted for report in reports]

    @property
    def names(self) -> list[str]:
        return sorted(each.claim.name for each in self.running)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def listening() -> Iterator[psycopg.Connection]:
    """Hear what is said about the steps of the namespace from now on."""
    with open_direct_connection("test:exchange") as connection:
        connection.execute(f'LISTEN "{ready_channel("test")}"')
        yield connection


def heard(listening: psycopg.Connection) -> int:
    return len(list(listening.notifies(timeout=0.3)))


def start(template: TaskTemplate, bench: Bench) -> UUID:
    created = ticks.start(template)
    bench.claim()
    return created.task_uuid


def test_the_next_step_is_claimed_with_the_report_and_nobody_else_is_told(bench, listening):
    task_uuid = start(linear(3), bench)
    assert heard(listening) == 1

    assert bench.finish() == [True]

    assert bench.names == ["step_2"]
    assert states(task_uuid) == {"step_1": "complete", "step_2": "in_progress", "step_3": "pending"}
    assert heard(listening) == 0


def test_a_chain_runs_to_its_end_without_an_orchestrator(bench):
    task_uuid = start(linear(4), bench)

    while bench.running:
        bench.finish()

    assert set(states(task_uuid).values()) == {"complete"}
    ticks.assert_invariants()


def test_others_are_told_of_what_finds_no_slot(bench, listening):
    graph = {"root": [], **{f"leaf_{number}": ["root"] for number in range(5)}}
    start(shape("wide", graph), bench)
    heard(listening)

    bench.finish()

    assert len(bench.running) == SLOTS
    assert heard(listening) == 1
    assert bench.claimer.may_have_work


def test_others_are_told_when_messages_of_nobody_were_in_the_way(bench, listening, monkeypatch):
    monkeypatch.setattr(claiming, "MOST_TAKING_TURNS", 0)
    start(linear(2), bench)
    for _ in range(SLOTS):
        pgmq.send(worker_queue("test"), {"step_uuid": str(uuid4())})
    bench.claimer.mark("test")
    heard(listening)

    bench.finish()

    assert bench.running == []
    assert heard(listening) == 1


def test_what_an_attempt_claimed_that_was_rolled_back_does_not_begin(bench, monkeypatch):
    start(linear(2), bench)
    monkeypatch.setattr(exchange, "store_reports", lambda reports, **rest: {})
    turn = bench.claimer._build_turn("test", 1)
    turn.claims = [bench.running[0].claim]

    bench.exchange._exchange([], turn, "test")

    assert turn.claims == []


def test_slots_that_nothing_follows_are_filled_from_the_queue(bench):
    start(linear(2), bench)
    ticks.start(fan_in(SLOTS, name="older"))
    bench.claimer.mark("test")

    bench.finish()

    assert bench.names == ["root_1", "root_2", "step_2"]


def test_a_step_that_waits_in_the_queue_is_passed_seven_times_at_most(bench):
    chain = start(linear(10), bench)
    ticks.start(fan_in(SLOTS, name="others"))
    bench.claimer.mark("test")
    bench.claim()
    [first] = [each for each in bench.running if each.claim.name == "step_1"]
    bench.running = [first]  # the others' handlers take their time

    for number in range(MOST_TAKING_TURNS):
        bench.finish()
        assert bench.names == [f"step_{number + 2}"]
    bench.finish()

    assert bench.names == ["root_3"]
    assert states(chain)[f"step_{MOST_TAKING_TURNS + 2}"] == "enqueued"


def test_a_backlog_fills_the_slots_of_results_that_nothing_follows(bench):
    start(fan_in(SLOTS, name="wide"), bench)
    ticks.start(fan_in(SLOTS, name="older"))
    bench.claimer.mark("test")
    bench.running, ended = bench.running[:1], bench.running[1:]

    bench.finish()

    assert len(bench.running) == 1
    assert len(ended) == SLOTS - 1


def test_the_claim_loop_finds_nothing_when_the_exchange_came_first(bench):
    """Symptom: the claim loop, which had waited for its turn, died of an empty list."""
    start(linear(2), bench)
    assert bench.claimer._claim_in_turn(method="event") == 0


def test_another_namespace_that_may_have_work_gets_its_turn(bench):
    task_uuid = start(linear(2), bench)
    bench.claimer.mark("other")

    assert bench.finish() == [True]

    assert bench.running == []
    assert states(task_uuid)["step_2"] == "enqueued"


def test_a_worker_that_stops_claims_nothing_and_tells_others(bench, listening):
    task_uuid = start(linear(2), bench)
    heard(listening)
    bench.claimer.loop.stop()

    assert bench.finish() == [True]

    assert bench.running == []
    assert states(task_uuid)["step_2"] == "enqueued"
    assert heard(listening) == 1


def test_by_setting_every_report_goes_by_message(bench, settings):
    settings.TASKER = {**settings.TASKER, "inline_advance": False}
    bench.exchange = Exchange(bench.claimer)
    task_uuid = start(linear(2), bench)

    assert bench.finish() == [True]

    assert states(task_uuid)["step_1"] == "enqueued_for_orchestration"


def test_a_task_that_goes_on_with_a_report_never_meets_its_limit_in_flight(settings):
    settings.TASKER = {**settings.TASKER, "max_steps_in_flight_per_task": 5}

    assert most_steps_to_advance(engine_settings()) == 5


@pytest.fixture
def broken_advance() -> Iterator[None]:
    """Let no task go on with a report."""
    source = sql.read("functions/tasker_advance_tasks_v01.sql")
    broken = source.replace("BEGIN\n", "BEGIN\n  RAISE check_violation;\n", 1)
    assert broken != source
    with connections["default"].cursor() as cursor:
        cursor.execute(broken)
        yield
        cursor.execute(source)


@pytest.mark.usefixtures("broken_advance")
def test_a_report_whose_task_cannot_go_on_is_stored_all_the_same(bench, caplog):
    task_uuid = start(linear(2), bench)

    assert bench.finish() == [True]

    assert states(task_uuid)["step_1"] == "enqueued_for_orchestration"
    assert "reports.not_advanced" in caplog.text


def test_a_refused_claim_takes_no_report_with_it(bench, monkeypatch):
    task_uuid = start(linear(2), bench)

    def refuse(*args: object, **rest: object) -> list[Claim]:
        raise CircuitOpenError("messaging", retry_after_seconds=1.0)

    monkeypatch.setattr(bench.claimer, "_fetch", refuse)

    assert bench.finish() == [True]

    assert states(task_uuid)["step_1"] == "enqueued_for_orchestration"
    assert bench.names == []
