"""One part of a process that has its database back ends the pauses of all the others."""

import threading

import pytest
from django.db import OperationalError

from orchestration.process import Process
from orchestration.runtime import database
from orchestration.runtime.identity import identify_process
from orchestration.runtime.loop import Loop
from tests.processes import wait_until


class Outage:
    """A run_once that fails until the database is said to be back."""

    def __init__(self, *, is_over: threading.Event) -> None:
        self.is_over = is_over
        self.failures = 0

    def __call__(self) -> int:
        if not self.is_over.is_set():
            self.failures += 1
            raise OperationalError("gone")
        return 0


@pytest.fixture
def is_over():
    return threading.Event()


@pytest.fixture
def loops(is_over, monkeypatch):
    """A loop with a short pause after its first failure, and one that would wait for minutes."""
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(database, "next_pause", lambda pause: 600.0)
    ended = threading.Semaphore(0)
    quick, slow = (
        Loop(name, Outage(is_over=is_over), idle_seconds=600, check_reachable=lambda: None)
        for name in ("quick", "slow")
    )
    quick.longest_pause_seconds = 0.1
    for loop in (quick, slow):
        loop.start(ended.release)
    yield quick, slow
    for loop in (quick, slow):
        loop.stop()
        assert ended.acquire(timeout=2)


def test_a_loop_that_recovers_ends_the_pauses_of_the_others(loops, is_over):
    _, slow = loops
    process = Process(identify_process("worker"), mode="PollingOnly", http_port=0)
    process.loops = list(loops)
    wait_until(lambda: slow.run_once.failures == 2)  # it waits for ten minutes now
    database.watch_recovery(process._hurry)
    try:
        is_over.set()

        wait_until(lambda: not slow.is_backing_off)
    finally:
        database.watch_recovery(None)
