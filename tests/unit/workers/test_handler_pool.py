"""The threads of a worker follow its slots, and none leaves in the middle of a handler."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from orchestration.conf import PoolSettings
from orchestration.runtime.pool_size import PoolSize
from tests.processes import wait_until
from workers.context import Progress
from workers.executor import Execution
from workers.worker.handler_pool import HandlerPool
from workers.worker.slots import Slots


class Handlers:
    """A pool whose handlers run until `gate` opens."""

    def __init__(self, *, minimum: int, maximum: int) -> None:
        self.gate = threading.Event()
        self.done = 0
        self.size = PoolSize(
            "handlers",
            minimum=minimum,
            maximum=maximum,
            database_share=lambda: 0.0,
            settings=PoolSettings(pool_up_cooldown_seconds=0, pool_down_cooldown_seconds=0),
        )
        self.slots = Slots(self.size)
        self.pool = HandlerPool(
            self.slots, run=self._run, on_free_slot=lambda: None, stop_seconds=5
        )
        self._before = set(threading.enumerate())
        self.pool.start(lambda: None)

    def _run(self, execution: Execution) -> None:
        self.gate.wait(20)
        self.done += 1
        self.slots.settle(execution)

    def submit(self, count: int) -> None:
        for _ in range(count):
            claim: Any = type("Claimed", (), {"workflow_step_uuid": uuid4(), "checkpoint": None})
            self.pool.submit(Execution(claim, progress=Progress(), timeout_seconds=60))

    @property
    def threads(self) -> int:
        new = set(threading.enumerate()) - self._before
        return sum(each.name.startswith("handler-") for each in new)


@pytest.fixture
def make() -> Iterator[Callable[[int, int], Handlers]]:
    made: list[Handlers] = []

    def start(minimum: int, maximum: int) -> Handlers:
        made.append(Handlers(minimum=minimum, maximum=maximum))
        return made[-1]

    yield start
    for each in made:
        each.gate.set()
        each.size.minimum = each.size.maximum = each.size.size = 0
        each.pool.scale()
        wait_until(lambda each=each: each.threads == 0)  # type: ignore[misc]


def test_there_is_a_thread_for_every_slot(make):
    handlers = make(2, 8)
    assert handlers.threads == 2

    handlers.size.double()
    handlers.submit(4)

    assert handlers.threads == 4
    wait_until(lambda: handlers.slots.running == 4)


def test_threads_too_many_leave_when_they_are_free(make):
    handlers = make(1, 8)
    for _ in range(3):
        handlers.size.double()
    handlers.submit(6)
    assert (handlers.threads, handlers.size.size) == (8, 8)

    handlers.size.minimum = handlers.size.maximum = handlers.size.size = 2
    handlers.pool.scale()

    wait_until(lambda: handlers.threads == 6)
    assert (handlers.slots.running, handlers.done, handlers.slots.free) == (6, 0, 0)
    handlers.gate.set()
    wait_until(lambda: handlers.threads == 2)
    assert handlers.done == 6
    handlers.submit(2)
    wait_until(lambda: handlers.done == 8)


def test_slots_that_are_hardly_used_go(make):
    handlers = make(2, 8)
    handlers.size.double()
    handlers.submit(1)
    assert handlers.threads == 4

    for _ in range(2):  # a quarter of the slots is used, then a third
        time.sleep(0.05)
        handlers.pool.scale()

    wait_until(lambda: handlers.threads == 2)
    assert (handlers.size.size, handlers.slots.running) == (2, 1)
