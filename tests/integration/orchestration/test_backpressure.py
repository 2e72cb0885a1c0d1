"""How a verdict about a namespace is renewed, kept, given up, and shared by threads."""

import threading
import time

import pytest
from django.db import connections, transaction

from orchestration.backpressure import Backpressure
from orchestration.conf import protection_settings
from orchestration.errors import BackpressureError
from orchestration.messaging.messages import worker_queue
from orchestration.queries import pressure
from orchestration.testing import linear
from templates_registry import registry
from tests.conftest import purge_queues
from tests.integration.orchestration.api.test_api_backpressure import fill_queue

pytestmark = pytest.mark.django_db
commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sut(now, db) -> Backpressure:
    registry.register(linear(1))
    return Backpressure(clock=now)


def lets_in(sut: Backpressure) -> bool:
    try:
        with sut.admit("test"):
            return True
    except BackpressureError:
        return False


@pytest.mark.parametrize(
    ("work", "level"), [(0, 0), (99, 0), (100, 1), (499, 1), (500, 2), (999, 2), (1000, 3)]
)
def test_the_tiers_of_the_test_profile(work, level):
    assert protection_settings().tier_of(work) == level


def test_a_verdict_holds_until_it_is_renewed(sut, now):
    fill_queue(1000)
    assert not lets_in(sut)
    purge_queues()

    now.now += 4.9
    assert not lets_in(sut)
    now.now += 0.1
    assert lets_in(sut)

    fill_queue(1000)
    now.now += 4.9
    assert lets_in(sut)
    now.now += 0.1
    assert not lets_in(sut)


@pytest.fixture
def locked_queue(sut):
    """Keep everybody from looking at the queue, as a table that takes too long would."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    held = connections["default"].copy()
    held.set_autocommit(False)
    with held.cursor() as cursor:
        cursor.execute(f"LOCK TABLE pgmq.q_{worker_queue('test')} IN ACCESS EXCLUSIVE MODE")
    yield
    held.rollback()
    held.close()


@commits
def test_what_cannot_be_known_in_time_lets_the_task_in(sut, locked_queue):
    began = time.monotonic()

    assert lets_in(sut)

    assert 0.2 < time.monotonic() - began < 1.5


@commits
def test_an_old_verdict_is_kept_for_half_a_minute_then_nothing_is_known(sut, now, request):
    fill_queue(1000)
    assert not lets_in(sut)
    request.getfixturevalue("locked_queue")

    now.now += 10
    assert not lets_in(sut)
    now.now += 20
    assert not lets_in(sut)
    now.now += 1
    assert lets_in(sut)


@commits
def test_one_caller_looks_and_nobody_waits_for_it(sut, locked_queue):
    together = threading.Barrier(8)
    taken = []

    def ask():
        together.wait()
        began = time.monotonic()
        assert lets_in(sut)
        taken.append(time.monotonic() - began)
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    taken.sort()
    assert taken[-1] > 0.2
    assert taken[-2] < 0.2, taken


@commits
def test_the_look_leaves_the_callers_transaction_as_it_was(sut, locked_queue):
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '7s'")
        assert lets_in(sut)  # its statement was cancelled
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("7s",)

    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '7s'")
        pressure.measure("nobody", limit=10, timeout_ms=250)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("7s",)


def test_namespaces_that_nobody_asks_about_are_forgotten(sut, now):
    for number in range(230):
        with sut.admit(f"made_up_{number}"):
            now.now += 1

    assert len(sut._known) <= 200


def test_counting_ends_at_the_limit(sut):
    fill_queue(50)

    assert pressure.measure("test", limit=11, timeout_ms=250).work == 11
    assert pressure.of_namespaces(limit=11) == [("test", 11)]
    assert pressure.of_namespaces(limit=100) == [("test", 50)]
