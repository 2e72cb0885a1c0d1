"""Many hands reach for the same messages: each step is claimed once. Scenario X2.

Also with a visibility that ends too early, over and over, so that several workers hold the same
message: what a claim is, the step says, and not the queue.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from orchestration.models import StepTransition, WorkflowStep
from orchestration.queries.steps import Claim
from orchestration.testing import linear, shape
from tests.clusters import Cluster, assert_one_accepted_result
from tests.factories import ticks
from tests.processes import database_url
from tests.races import race

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
WORKERS = 20
WIDTH = 500
SHOW_SOME = """
UPDATE pgmq.q_worker_test_queue SET vt = clock_timestamp()
WHERE vt > clock_timestamp() AND random() < %s
"""


@pytest.fixture
def deep_queue(settings) -> None:
    """Let tasks start however deep the queue is."""
    settings.TASKER = {"environment": "test", "high_water_messages": 1_000_000}


def steps_waiting(count: int) -> None:
    """Put so many steps without parents into the queue."""
    template = shape("wide", {f"root_{number}": [] for number in range(min(WIDTH, count))})
    for _ in range(count // len(template.steps)):
        ticks.start(template)
    assert WorkflowStep.objects.filter(state="enqueued").count() == count


class Claimers:
    """Workers that claim until nothing is left."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.claims: list[Claim] = []
        self.deadline = time.monotonic() + 120

    def work(self) -> None:
        """Claim as one worker; a message that was busy is visible again a second later."""
        worker = uuid4()
        while len(self.claims) < self.expected and time.monotonic() < self.deadline:
            found = ticks.claim(limit=10, worker=worker)
            self.claims += found
            if not found:
                time.sleep(0.05)

    def all_at_once(self) -> None:
        """Claim as twenty workers, then once more each."""
        outcomes = race(*[self.work] * WORKERS)
        assert outcomes == [None] * WORKERS
        self.claims += itertools.chain.from_iterable(race(*[ticks.claim] * WORKERS))

    @property
    def times(self) -> Counter[object]:
        """How often each step was claimed."""
        return Counter(claimed.workflow_step_uuid for claimed in self.claims)


@contextmanager
def visibility_ends_early(*, share: float = 0.1, every_seconds: float = 0.1) -> Iterator[None]:
    """Make a share of the messages visible again, over and over, whoever holds them."""
    is_over = threading.Event()

    def spoil() -> None:
        with psycopg.connect(database_url(), autocommit=True) as connection:
            while not is_over.wait(every_seconds):
                connection.execute(SHOW_SOME, [share])

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def assert_claimed_once(count: int) -> None:
    starts = StepTransition.objects.filter(to_state="in_progress")
    assert starts.count() == starts.values("workflow_step").distinct().count() == count
    assert set(WorkflowStep.objects.values_list("attempts", flat=True)) == {1}
    ticks.assert_invariants()
    assert_one_accepted_result()


@pytest.mark.django_db(transaction=True)
def test_one_message_is_one_claim_for_twenty_workers():
    for _ in range(10):
        ticks.start(linear(1))

        found = race(*[ticks.claim] * WORKERS)

        assert sorted(map(len, found)) == [0] * (WORKERS - 1) + [1]
    assert_claimed_once(10)


@pytest.mark.django_db(transaction=True)
def test_one_message_in_twenty_hands_is_one_claim():
    for _ in range(10):
        ticks.start(linear(1))

        with visibility_ends_early(share=1, every_seconds=0.002):
            found = race(*[ticks.claim] * WORKERS)

        assert sorted(map(len, found)) == [0] * (WORKERS - 1) + [1]
    assert_claimed_once(10)


@pytest.mark.django_db(transaction=True)
def test_five_thousand_messages_are_five_thousand_claims(deep_queue):
    steps_waiting(5000)
    claimers = Claimers(5000)

    claimers.all_at_once()

    assert set(claimers.times.values()) == {1}
    assert len(claimers.times) == 5000
    assert_claimed_once(5000)


@pytest.mark.django_db(transaction=True)
def test_a_thousand_messages_that_are_visible_to_all_are_a_thousand_claims(deep_queue):
    steps_waiting(1000)
    claimers = Claimers(1000)

    with visibility_ends_early():
        claimers.all_at_once()

    assert set(claimers.times.values()) == {1}
    assert len(claimers.times) == 1000
    assert_claimed_once(1000)


def test_worker_processes_run_what_several_of_them_hold_once(own_cluster: Cluster, tmp_path):
    ledger = tmp_path / "ledger"
    own_cluster.orchestrator()
    for _ in range(3):
        own_cluster.worker("test", "--slots", "8")

    with visibility_ends_early():
        made = [ticks.start(linear(2), {"ledger": str(ledger)}).task_uuid for _ in range(100)]
        own_cluster.reaches(made, ["complete"], within=90)

    ran = Counter(ledger.read_text().splitlines())
    assert set(ran.values()) == {1}
    assert len(ran) == 200
    assert_claimed_once(200)
