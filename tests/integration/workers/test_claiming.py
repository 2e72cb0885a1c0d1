"""The claim loop against real queues: namespaces take turns, slots grow while there is more."""

from collections import Counter
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connections

from orchestration import health, metrics
from orchestration.queries.steps import Claim, claim_steps, release_steps
from orchestration.runtime.pool_size import PoolSize
from orchestration.testing import linear
from templates_registry import registry
from tests.factories import ticks
from tests.processes import database_url
from workers.context import Progress
from workers.executor import Execution
from workers.worker import claiming
from workers.worker.claiming import Claimer, Pace
from workers.worker.slots import Slots

pytestmark = pytest.mark.django_db


class Harness:
    """A claimer whose claims end when the test says so."""

    def __init__(self, *namespaces: str, minimum: int, maximum: int) -> None:
        self.share = 0.0
        self.claims: list[Claim] = []
        self.running: list[Execution] = []
        self.slots = Slots(
            PoolSize(
                "handlers", minimum=minimum, maximum=maximum, database_share=lambda: self.share
            )
        )
        self.claimer = Claimer(
            namespaces,
            worker_uuid=uuid4(),
            slots=self.slots,
            begin=self._begin,
            pace=Pace(lease_seconds=30, poll_seconds=lambda: 60.0, shed_claims_at=0.8),
        )

    def _begin(self, claim: Claim) -> None:
        execution = Execution(claim, progress=Progress(), timeout_seconds=60)
        self.slots.take(execution)
        self.claims.append(claim)
        self.running.append(execution)

    def end_one(self) -> None:
        execution = self.running.pop(0)
        self.slots.free_slot(execution)
        self.slots.settle(execution)

    @property
    def order(self) -> list[str]:
        return [claim.namespace for claim in self.claims]


def waits_counted(namespace: str) -> float:
    """Return how many waits of a namespace are counted."""
    return sum(
        float(each.value)
        for each in metrics.STEP_QUEUE_WAIT._samples()
        if each.name.endswith("_count") and each.labels == {"namespace": namespace}
    )


def enqueue(namespace: str, count: int) -> None:
    """Start tasks of one step each; none makes at least the queue."""
    template = linear(1, namespace=namespace)
    assert registry.register(template).named_task_uuid
    for number in range(count):
        ticks.start(template, {"number": number})


def test_deep_namespaces_take_turns_slot_by_slot():
    for namespace in ("a", "b", "c"):
        enqueue(namespace, 6)
    it = Harness("a", "b", "c", minimum=1, maximum=1)

    for _ in range(9):
        assert it.claimer.run_once() == 1
        it.end_one()

    assert it.order == ["a", "b", "c"] * 3


def test_deep_namespaces_share_the_slots_evenly():
    for namespace in ("a", "b", "c"):
        enqueue(namespace, 20)
    it = Harness("a", "b", "c", minimum=8, maximum=8)

    for _ in range(6):
        it.claimer.run_once()
        for _ in range(8):
            it.end_one()

    counts = Counter(it.order)
    assert sum(counts.values()) == 48
    assert max(counts.values()) - min(counts.values()) <= 2


def test_an_idle_namespace_between_two_deep_ones_gives_no_one_its_turn():
    enqueue("a", 9)
    enqueue("b", 0)
    enqueue("c", 9)
    it = Harness("a", "b", "c", minimum=1, maximum=1)

    for _ in range(10):
        it.claimer.run_once()
        if it.running:
            it.end_one()

    assert Counter(it.order) == {"a": 5, "c": 5}


def test_slots_double_while_there_is_more_work_than_slots():
    enqueue("a", 9)
    it = Harness("a", minimum=2, maximum=10)

    taken = [it.claimer.run_once() for _ in range(5)]

    assert taken == [2, 2, 4, 1, 0]
    assert (it.slots.size, it.slots.running) == (10, 9)


def test_slots_do_not_grow_for_work_that_fits():
    enqueue("a", 2)
    it = Harness("a", minimum=3, maximum=10)

    taken = [it.claimer.run_once() for _ in range(2)]

    assert taken == [2, 0]
    assert it.slots.size == 3


def test_a_free_slot_is_kept_ready_while_there_may_be_more():
    """Handlers may run for long: what comes while all slots are busy must not wait for them."""
    enqueue("a", 2)
    it = Harness("a", minimum=2, maximum=10)

    taken = [it.claimer.run_once() for _ in range(2)]

    assert taken == [2, 0]
    assert (it.slots.size, it.slots.free) == (4, 2)


@pytest.mark.parametrize("share", [0.8, 0.9])
def test_nothing_is_claimed_and_nothing_grows_while_the_connections_are_in_use(share, monkeypatch):
    enqueue("a", 5)
    it = Harness("a", minimum=2, maximum=10)
    it.claimer.run_once()
    monkeypatch.setattr(health, "pool_use", lambda: health.PoolUse(10, int(share * 10), 10))

    assert it.claimer.run_once() == 0
    assert (it.slots.size, it.slots.running) == (2, 2)


def test_there_may_be_work_as_long_as_a_queue_is_read(monkeypatch):
    """Symptom: a worker of one go ended when the last result was stored during a look."""
    enqueue("a", 1)
    it = Harness("a", minimum=5, maximum=5)
    seen = []

    def watched(*args: Any, **kwargs: Any) -> list[Claim]:
        seen.append(it.claimer.may_have_work)
        return claim_steps(*args, **kwargs)

    monkeypatch.setattr(claiming, "claim_steps", watched)

    assert it.claimer.run_once() == 1
    assert seen == [True]
    assert not it.claimer.may_have_work


def test_slots_are_left_to_results_that_are_about_to_claim():
    enqueue("a", 3)
    it = Harness("a", minimum=1, maximum=1)
    it.claimer.run_once()
    it.end_one()

    it.claimer.are_results_claiming = lambda: True
    assert it.claimer.run_once() == 0
    assert it.claimer.may_have_work
    it.claimer.are_results_claiming = lambda: False
    assert it.claimer.run_once() == 1


def test_slots_do_not_grow_while_results_cannot_be_stored():
    enqueue("a", 5)
    it = Harness("a", minimum=2, maximum=10)
    it.claimer.run_once()
    it.slots.are_reports_failing = True

    assert it.claimer.run_once() == 0
    assert it.slots.size == 2


def test_how_long_a_step_waited_is_counted_at_its_first_claim_alone():
    enqueue("test", 2)
    harness = Harness("test", minimum=2, maximum=2)
    before = waits_counted("test")

    harness.claimer.run_once()
    assert waits_counted("test") == before + 2

    claim = harness.claims[0]
    release_steps([(claim.workflow_step_uuid, claim.state_version)])
    harness.end_one()
    harness.claimer.mark("test")
    assert harness.claimer.run_once() == 1
    assert harness.claims[2].waited_ms is None
    assert waits_counted("test") == before + 2


def test_a_claim_is_on_disk_before_its_handler_runs():
    """Symptom: the result of a claim that a crash took back was accepted for the next one's."""
    enqueue("a", 1)

    assert ticks.claim(namespace="a")

    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")  # of the transaction of the claim
        assert cursor.fetchone() == ("on",)


@pytest.mark.django_db(transaction=True)
def test_who_claims_wakes_the_timer_that_looks_for_lost_workers_but_not_each_time(monkeypatch):
    enqueue("test", 3)
    it = Harness("test", minimum=1, maximum=1)
    with psycopg.connect(database_url(), autocommit=True) as listening:
        listening.execute("LISTEN tasker_due_work")

        for _ in range(2):
            it.claimer.run_once()
            it.end_one()
        heard = list(listening.notifies(timeout=0.5))
        monkeypatch.setattr(claiming, "TELL_SECONDS", 0.0)
        it.claimer.run_once()
        heard_later = list(listening.notifies(timeout=5, stop_after=1))

    assert (len(heard), len(heard_later)) == (1, 1)
