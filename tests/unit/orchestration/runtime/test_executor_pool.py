"""Executors of one pool: who is woken, who polls, who leaves, and that no wake-up is lost."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, ProgrammingError

from orchestration.conf import PoolSettings
from orchestration.runtime import database, executor_pool
from orchestration.runtime.executor_pool import ExecutorPool
from orchestration.runtime.pool_size import PoolSize
from tests.processes import wait_until

BATCH = 10
NEVER_MIND = PoolSettings(pool_up_cooldown_seconds=0, pool_down_cooldown_seconds=0)


class Queue:
    """Work to be taken in batches; `hold` makes every batch wait until it is let go."""

    def __init__(self) -> None:
        self.waiting = 0
        self.looks = 0
        self.at_work = 0
        self.most_at_work = 0
        self.batches: list[int] = []
        self.held = threading.Event()
        self.held.set()
        self.error: Exception | None = None
        self.seconds = 0.0
        self.look_seconds = 0.0
        self._lock = threading.Lock()

    def take(self, limit: int) -> int:
        with self._lock:
            self.looks += 1
        time.sleep(self.look_seconds)
        with self._lock:
            if self.error is not None:
                error, self.error = self.error, None
                raise error
            taken = min(limit, self.waiting)
            self.waiting -= taken
            if not taken:
                return 0
            self.batches.append(taken)
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
        time.sleep(self.seconds)
        self.held.wait(10)
        with self._lock:
            self.at_work -= 1
        return taken

    def put(self, count: int) -> None:
        with self._lock:
            self.waiting += count


class Running:
    """A pool under test, started."""

    def __init__(self, *, minimum: int, maximum: int, idle_seconds: float) -> None:
        self.queue = Queue()
        self.share = 0.0
        self.ended = threading.Event()
        self.pool = ExecutorPool(
            PoolSize(
                "results",
                minimum=minimum,
                maximum=maximum,
                database_share=lambda: self.share,
                settings=NEVER_MIND,
            ),
            self.queue.take,
            batch_count=BATCH,
            idle_seconds=lambda: idle_seconds,
        )

    def start(self) -> None:
        self.pool.start(self.ended.set)
        wait_until(lambda: self.queue.looks >= self.pool.size.size)
        time.sleep(0.05)  # until all of them rest

    def stop(self) -> None:
        self.queue.held.set()
        self.pool.stop()
        wait_until(lambda: not self.pool.is_running)

    def waits_for_all(self, count: int) -> None:
        """Wait until so many executors hold a batch each."""

        def are_at_work() -> bool:
            self.pool.wake()
            return self.queue.at_work == count

        wait_until(are_at_work)

    def give(self, count: int) -> None:
        self.queue.put(count)
        self.pool.wake()


@pytest.fixture
def make() -> Iterator[Callable[..., Running]]:
    made = []

    def start(*, minimum: int, maximum: int, idle_seconds: float = 60.0) -> Running:
        made.append(Running(minimum=minimum, maximum=maximum, idle_seconds=idle_seconds))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()


def test_a_notification_wakes_one_of_many(make):
    it = make(minimum=5, maximum=5)
    before = it.queue.looks

    it.give(1)

    wait_until(lambda: it.queue.batches == [1])
    time.sleep(0.2)
    assert it.queue.looks - before == 2  # the batch, and the look that found nothing more


def test_only_one_of_many_polls(make):
    it = make(minimum=5, maximum=5, idle_seconds=0.3)
    it.queue.look_seconds = 0.05  # the others would have the time to look too
    before = it.queue.looks

    time.sleep(1.5)

    assert 2 <= it.queue.looks - before <= 5


def test_what_comes_during_a_short_batch_waits_for_it_and_stays_together(make, monkeypatch):
    monkeypatch.setattr(executor_pool, "PATIENCE_SECONDS", 5.0)
    it = make(minimum=3, maximum=3)
    it.queue.held.clear()
    it.give(1)
    wait_until(lambda: it.queue.at_work == 1)

    for _ in range(5):
        it.give(1)
    it.queue.held.set()

    wait_until(lambda: it.queue.waiting == 0 and it.queue.at_work == 0)
    assert it.queue.batches == [1, 5]


def test_an_executor_that_hangs_holds_nobody_up(make):
    it = make(minimum=2, maximum=2)
    it.queue.held.clear()
    it.give(1)
    wait_until(lambda: it.queue.at_work == 1)
    began = time.monotonic()

    it.give(1)

    wait_until(lambda: it.queue.at_work == 2)
    assert time.monotonic() - began >= executor_pool.PATIENCE_SECONDS * 0.9


def test_a_poll_gets_past_an_executor_that_hangs(make):
    it = make(minimum=2, maximum=2, idle_seconds=0.1)
    it.queue.held.clear()
    it.give(1)
    wait_until(lambda: it.queue.at_work == 1)

    it.queue.put(1)  # nobody is told

    wait_until(lambda: it.queue.at_work == 2)


def test_a_full_batch_calls_another_executor_at_once(make, monkeypatch):
    monkeypatch.setattr(executor_pool, "PATIENCE_SECONDS", 60.0)
    it = make(minimum=4, maximum=4)
    it.queue.seconds = 0.05

    it.give(BATCH * 12)

    wait_until(lambda: it.queue.waiting == 0)
    assert it.queue.most_at_work == 4


def test_no_wake_up_is_lost(make):
    it = make(minimum=3, maximum=3)
    for _ in range(300):
        it.give(1)
        if it.queue.looks % 7 == 0:
            time.sleep(0.001)

    wait_until(lambda: it.queue.waiting == 0 and it.queue.at_work == 0, within=3)
    assert sum(it.queue.batches) == 300


def test_what_a_failed_round_was_for_is_done_by_another_executor(make, monkeypatch):
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 30.0)
    it = make(minimum=2, maximum=2)
    it.queue.error = OperationalError("lock timeout")

    it.give(1)

    wait_until(lambda: it.queue.batches == [1])
    assert it.pool.is_backing_off
    assert it.pool.is_running


def test_it_grows_while_it_is_busy_and_comes_back(make):
    it = make(minimum=1, maximum=3)
    it.pool.scale()
    it.queue.held.clear()
    it.give(BATCH * 5)
    wait_until(lambda: it.queue.at_work == 1)

    sizes = []
    for _ in range(2):
        time.sleep(0.1)
        it.pool.scale()
        sizes.append(it.pool.size.size)
        it.waits_for_all(sizes[-1])
    assert sizes == [2, 3]
    it.queue.held.set()
    wait_until(lambda: it.queue.waiting == 0 and it.queue.at_work == 0)
    it.pool.scale()  # closes the busy window
    for _ in range(3):
        time.sleep(0.02)
        it.pool.scale()

    assert it.pool.size.size == 1
    wait_until(lambda: len(names_of("results-")) == 1)
    it.give(1)
    wait_until(lambda: it.queue.waiting == 0)


def test_an_executor_leaves_after_its_batch_and_never_within(make):
    it = make(minimum=2, maximum=2)
    it.queue.held.clear()
    it.give(BATCH + 1)
    it.waits_for_all(2)

    it.pool.size.minimum = it.pool.size.maximum = it.pool.size.size = 1
    it.pool.scale()
    time.sleep(0.1)

    assert it.queue.at_work == 2
    it.queue.held.set()
    wait_until(lambda: it.queue.at_work == 0 and len(names_of("results-")) == 1)
    assert sum(it.queue.batches) == BATCH + 1


def test_stopping_lets_every_batch_end(make):
    it = make(minimum=3, maximum=3)
    it.queue.held.clear()
    it.give(BATCH * 3)
    it.waits_for_all(3)

    it.pool.stop()
    time.sleep(0.1)

    assert it.pool.is_running
    it.queue.held.set()
    wait_until(lambda: not it.pool.is_running)
    assert it.ended.is_set()
    assert sum(it.queue.batches) == BATCH * 3
    it.pool.scale()
    assert names_of("results-") == []


def test_a_death_of_one_is_a_death_of_the_pool(make):
    it = make(minimum=2, maximum=2)
    it.queue.error = ProgrammingError("no such column")

    it.pool.wake()

    assert it.ended.wait(5)
    assert isinstance(it.pool.failure, ProgrammingError)
    assert not it.pool.is_running


def test_a_strained_database_gets_smaller_batches_and_longer_polls(make):
    it = make(minimum=1, maximum=1, idle_seconds=2.0)
    it.share = 0.8

    it.give(5)

    wait_until(lambda: it.queue.waiting == 0)
    assert it.queue.batches == [2, 2, 1]
    assert it.pool.idle_seconds() == pytest.approx(10.0)


def names_of(prefix: str) -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith(f"loop-{prefix}")]
