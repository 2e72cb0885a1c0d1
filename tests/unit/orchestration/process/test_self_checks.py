"""Loops and listener as the probes see them, each in all its states."""

import threading
import time

import pytest
from django.db import OperationalError

from orchestration.errors import CircuitOpenError
from orchestration.health import DEGRADED, HEALTHY, UNHEALTHY
from orchestration.messaging.listener import Listener
from orchestration.process.self_checks import check_listener, check_loops, is_stalled
from orchestration.runtime.loop import Loop
from tests.processes import wait_until


class Work:
    """What a loop does: nothing, or whatever a test wants to see."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self) -> int:
        self.go_on.wait(10)
        if self.error:
            raise self.error
        return 0


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def loop(work):
    loop = Loop("work", work, idle_seconds=0.01, check_reachable=lambda: None)
    loop.start(lambda: None)
    yield loop
    work.go_on.set()
    loop.stop()
    wait_until(lambda: not loop.is_running)


def test_loops_that_run(loop):
    assert check_loops([loop]) == (HEALTHY, "1 loops run")
    assert not is_stalled([loop])


@pytest.mark.parametrize(
    "error", [OperationalError("gone"), CircuitOpenError("messaging", retry_after_seconds=30)]
)
def test_a_loop_that_waits_after_an_error(loop, work, error):
    work.error = error
    wait_until(lambda: loop.is_backing_off)

    assert check_loops([loop]) == (DEGRADED, "backing off after errors: work")


def test_a_dead_loop(loop, work, caplog):
    work.error = ValueError("a mistake")
    wait_until(lambda: not loop.is_running)

    assert check_loops([loop]) == (UNHEALTHY, "not running: work")


def test_a_process_without_loops_does_nothing():
    assert check_loops([]).status == UNHEALTHY


def test_a_loop_whose_round_does_not_end_is_stalled(loop, work, settings):
    settings.TASKER = {"liveness_stall_seconds": 10}
    work.go_on.clear()
    wait_until(lambda: loop.busy_seconds > 0.05)
    assert not is_stalled([loop])

    loop._busy_since = time.monotonic() - 11

    assert is_stalled([loop])


def test_listener():
    listener = Listener({}, on_reconnect=lambda: None)
    assert check_listener(listener) == (DEGRADED, "reconnecting, polling meanwhile")

    listener._down_since = time.monotonic() - 61
    assert check_listener(listener) == (UNHEALTHY, "down for 61 s")

    listener._connected.set()
    assert check_listener(listener) == (HEALTHY, "connected")
