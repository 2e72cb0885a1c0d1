"""A loop works while there is work, sleeps until woken, and survives the database only."""

import threading
import time

import pytest
from django.db import OperationalError, ProgrammingError

from orchestration import metrics
from orchestration.errors import CircuitOpenError
from orchestration.runtime import database
from orchestration.runtime.loop import Loop, run_until_idle
from tests.processes import wait_until

SOON = 2.0


def always_reachable() -> None:
    """Stand in for the look at the database, which these loops do not have."""


class Work:
    """A run_once that hands out prepared answers, then zeros, and says when it was called."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[float] = []
        self.called = threading.Semaphore(0)

    def __call__(self) -> int:
        self.calls.append(time.monotonic())
        answer = self.answers.pop(0) if self.answers else 0
        self.called.release()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def await_calls(self, count: int) -> None:
        for _ in range(count):
            assert self.called.acquire(timeout=SOON)


@pytest.fixture
def started():
    """Start loops and stop them after the test."""
    loops: list[Loop] = []
    ended = threading.Event()

    def start(loop: Loop) -> threading.Event:
        loops.append(loop)
        loop.start(ended.set)
        return ended

    yield start
    for loop in loops:
        loop.stop()
        assert ended.wait(SOON)


def test_an_open_breaker_is_waited_for_without_asking_the_database(started):
    asked: list[float] = []
    work = Work(CircuitOpenError("x", retry_after_seconds=0.3), 0)
    loop = Loop("t", work, idle_seconds=60, check_reachable=lambda: asked.append(time.monotonic()))
    started(loop)
    work.await_calls(1)
    wait_until(lambda: loop.is_backing_off)

    loop.wake()  # notifications go on; they must not make a hot loop
    work.await_calls(1)

    assert work.calls[1] - work.calls[0] >= 0.3
    assert asked == []
    wait_until(lambda: not loop.is_backing_off)
    assert loop.failure is None


def test_a_loop_held_by_a_breaker_stops_at_once(started):
    work = Work(CircuitOpenError("x", retry_after_seconds=600))
    loop = Loop("t", work, idle_seconds=60)
    ended = started(loop)
    wait_until(lambda: loop.is_backing_off)

    loop.stop()

    assert ended.wait(SOON)
    assert loop.busy_seconds == 0


def test_round_follows_round_at_once_while_there_is_work(started):
    work = Work(3, 1, 0)

    started(Loop("work", work, idle_seconds=60))

    work.await_calls(3)
    assert work.calls[-1] - work.calls[0] < 0.5


def test_an_idle_loop_is_woken_before_its_time(started):
    work = Work(0)
    loop = Loop("work", work, idle_seconds=60)
    started(loop)
    work.await_calls(1)

    loop.wake()

    work.await_calls(1)


def test_an_idle_loop_looks_again_after_the_time_its_callable_gives(started):
    pauses = [0.05, 60.0]
    work = Work()

    started(Loop("work", work, idle_seconds=lambda: pauses.pop(0)))

    work.await_calls(2)
    assert work.calls[1] - work.calls[0] >= 0.05


def test_a_wake_up_during_a_round_leads_to_another_round(started):
    entered, leave = threading.Event(), threading.Event()
    calls = []

    def run_once() -> int:
        calls.append(1)
        entered.set()
        leave.wait(SOON)
        return 0

    loop = Loop("work", run_once, idle_seconds=60)
    started(loop)
    assert entered.wait(SOON)
    loop.wake()
    entered.clear()

    leave.set()

    assert entered.wait(SOON)


def test_a_lost_database_is_logged_counted_and_outlived(started, monkeypatch, caplog):
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(database, "SECOND_PAUSE_SECONDS", 0.04)
    before = metrics.CONNECTION_ERRORS.value
    work = Work(OperationalError("gone"), OperationalError("still gone"), 0)
    loop = Loop("results", work, idle_seconds=60, check_reachable=always_reachable)

    started(loop)

    work.await_calls(3)
    first, second = (b - a for a, b in zip(work.calls, work.calls[1:], strict=False))
    assert second > first >= 0.02
    assert metrics.CONNECTION_ERRORS.value == before + 2
    lost = [record for record in caplog.records if record.getMessage() == "database.lost"]
    assert [record.__dict__["loop"] for record in lost] == ["results", "results"]


def test_a_session_that_was_ended_is_replaced_soon_and_what_is_gone_longer_asked_for_later(started):
    work = Work(OperationalError("ended"), OperationalError("gone"), 0)
    loop = Loop("results", work, idle_seconds=60, check_reachable=always_reachable)

    started(loop)

    work.await_calls(3)
    first, second = (b - a for a, b in zip(work.calls, work.calls[1:], strict=False))
    assert database.FIRST_PAUSE_SECONDS <= first < 0.6
    assert second >= database.SECOND_PAUSE_SECONDS


def test_recovery_is_logged_once(started, monkeypatch, caplog):
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(database, "SECOND_PAUSE_SECONDS", 0.04)
    work = Work(OperationalError("gone"), 1, 1, 1, 0)
    loop = Loop("results", work, idle_seconds=60, check_reachable=always_reachable)

    started(loop)

    work.await_calls(5)
    recovered = [r for r in caplog.records if r.getMessage() == "database.recovered"]
    assert len(recovered) == 1
    assert not loop.is_backing_off


def test_any_other_error_ends_the_loop_and_is_kept(caplog):
    ended = threading.Event()
    error = ProgrammingError("no such column")
    loop = Loop("results", Work(error), idle_seconds=60)

    loop.start(ended.set)

    assert ended.wait(SOON)
    assert loop.failure is error
    assert "loop.failed" in caplog.text


def test_stop_ends_a_sleeping_loop_and_one_that_backs_off():
    for answer in (0, OperationalError("gone")):
        ended = threading.Event()
        work = Work(answer)
        loop = Loop("work", work, idle_seconds=60)
        loop.start(ended.set)
        work.await_calls(1)

        loop.stop()

        assert ended.wait(SOON)
        assert loop.failure is None


def test_only_a_round_that_runs_counts_as_busy(started):
    entered, leave = threading.Event(), threading.Event()

    def run_once() -> int:
        entered.set()
        leave.wait(SOON)
        return 0

    loop = Loop("work", run_once, idle_seconds=60)
    started(loop)
    assert entered.wait(SOON)

    assert loop.busy_seconds > 0

    leave.set()


def test_run_until_idle_goes_on_while_any_loop_finds_work():
    first, second = Work(1, 0, 2), Work(0, 4)

    total = run_until_idle(Loop("work", work, idle_seconds=1) for work in (first, second))

    assert total == 7
    assert len(first.calls) == len(second.calls) == 4


@pytest.mark.parametrize(("pause", "then"), [(0.1, 1), (1, 2), (16, 30), (30, 30)])
def test_pauses_double_from_a_second_up_to_half_a_minute(pause, then):
    assert database.next_pause(pause) == then


def test_after_an_error_no_round_begins_before_the_database_is_reachable(started, monkeypatch):
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(database, "SECOND_PAUSE_SECONDS", 0.04)
    looks = Work(OperationalError("refused"), OperationalError("refused"), 0)
    work = Work(OperationalError("gone"), 0)

    def look() -> None:
        looks()

    started(Loop("results", work, idle_seconds=60, check_reachable=look))

    looks.await_calls(3)
    work.await_calls(2)
    assert work.calls[1] > looks.calls[2]


def test_a_loop_that_has_its_database_back_says_so(started):
    noted = threading.Event()
    database.watch_recovery(noted.set)
    try:
        work = Work(OperationalError("gone"), 0)
        started(Loop("t", work, idle_seconds=60, check_reachable=always_reachable))
        work.await_calls(1)
        assert not noted.is_set()
        work.await_calls(1)

        assert noted.wait(SOON)
    finally:
        database.watch_recovery(None)
