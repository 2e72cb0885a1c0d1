"""Deadlines: handlers are interrupted, reported once, and the thread stays usable afterwards."""

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any, cast

import pytest
from django.db import connections, transaction
from django.test import override_settings

from orchestration import metrics
from templates_registry.models import TaskNamespace
from workers import StepContext, StepHandler, StepTimeoutError, step_handler
from workers.context import Progress
from workers.executor.execution import Execution
from workers.executor.invocation import invoke
from workers.executor.watchdog import Watchdog

TEST = {"environment": "test"}


def spin(seconds):
    """Stay busy in Python, where an exception from outside is seen at the next bytecode."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def assert_timed_out(report, *, seconds=1):
    assert (report["success"], report["status"]) == (False, "error")
    metadata = report["metadata"]
    assert (metadata["error_type"], metadata["error_code"], metadata["retryable"]) == (
        "timeout",
        "EXECUTION_TIMEOUT",
        True,
    )
    assert metadata["context"] == {"timeout_seconds": seconds}


def test_a_busy_handler_is_interrupted_at_its_deadline(committing_bench):
    bench, seen = committing_bench, []

    class Busy(StepHandler):
        def call(self, context):
            try:
                spin(20)
            except StepTimeoutError:
                seen.append((context.cancelled, context.should_stop(), context.time_left()))
                raise

    bench.handle(Busy)
    before = metrics.STEPS_TIMED_OUT.value
    started = time.monotonic()

    report = bench.report_of(bench.claim(timeout_seconds=1))

    assert 1 <= time.monotonic() - started < 3
    assert_timed_out(report)
    assert seen == [(True, True, 0.0)]
    assert metrics.STEPS_TIMED_OUT.value == before + 1


def test_a_handler_that_swallows_the_interruption_has_timed_out_all_the_same(committing_bench):
    bench = committing_bench

    @step_handler("ignored")
    def stubborn():
        try:
            spin(20)
        except StepTimeoutError:
            return {"ok": True}

    bench.handle(stubborn)

    assert_timed_out(bench.report_of(bench.claim(timeout_seconds=1)))


def test_an_asynchronous_handler_is_cancelled(committing_bench):
    bench, seen = committing_bench, []

    @step_handler("ignored")
    async def sleepy(context):
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    bench.handle(sleepy)
    started = time.monotonic()

    assert_timed_out(bench.report_of(bench.claim(timeout_seconds=1)))
    assert time.monotonic() - started < 3
    assert seen == ["cancelled"]


def test_an_asynchronous_handler_that_swallows_its_cancellation_has_timed_out(committing_bench):
    bench = committing_bench

    @step_handler("ignored")
    async def stubborn():
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            return {"ok": True}

    bench.handle(stubborn)

    assert_timed_out(bench.report_of(bench.claim(timeout_seconds=1)))


def test_a_hanging_thread_is_reported_after_the_grace_and_its_return_is_ignored(
    committing_bench, settings, eventually
):
    settings.TASKER = {**TEST, "timeout_grace_seconds": 1}
    bench, release = committing_bench, threading.Event()

    class Hanging(StepHandler):
        def call(self, context):
            # Not blocked in C: there the exception would stay pending, and a traced CPython 3.11
            # (coverage) lets no other thread enter a function until it is delivered.
            while not release.is_set():
                with suppress(StepTimeoutError):
                    release.wait(0.01)
            return {"late": True}

    bench.handle(Hanging)
    claim = bench.claim(timeout_seconds=1)
    execution = bench.executor.begin(claim)
    started = time.monotonic()
    thread = threading.Thread(target=bench.executor.run, args=(execution,))
    thread.start()

    eventually(lambda: bool(bench.done), within=10)

    assert 2 <= time.monotonic() - started < 4
    assert execution.is_overdue
    assert execution.is_running
    release.set()
    thread.join(10)
    assert not execution.is_running
    ((done, report),) = bench.done
    assert done is execution
    assert not report.success
    assert '"EXECUTION_TIMEOUT"' in report.results


def test_an_asynchronous_handler_that_blocks_its_loop_is_overdue_too(
    committing_bench, settings, eventually
):
    settings.TASKER = {**TEST, "timeout_grace_seconds": 0}
    bench, release = committing_bench, threading.Event()

    @step_handler("ignored")
    async def blocking():
        release.wait(20)

    bench.handle(blocking)
    execution = bench.executor.begin(bench.claim(timeout_seconds=1))
    thread = threading.Thread(target=bench.executor.run, args=(execution,))
    thread.start()

    eventually(lambda: execution.is_overdue, within=10)
    release.set()
    thread.join(10)

    assert len(bench.done) == 1


def test_the_connection_is_replaced_after_an_interruption(committing_bench):
    bench = committing_bench

    class Querying(StepHandler):
        def call(self, context):
            transaction.atomic().__enter__()  # left open on purpose
            TaskNamespace.objects.create(name="left_open")
            spin(20)

    bench.handle(Querying)
    wrapper = connections["default"]

    assert_timed_out(bench.report_of(bench.claim(timeout_seconds=1)))

    assert connections["default"] is not wrapper
    assert not connections["default"].in_atomic_block
    assert not TaskNamespace.objects.filter(name="left_open").exists()


def test_a_transaction_that_a_handler_left_open_is_not_handed_on(committing_bench):
    bench = committing_bench

    class Leaving(StepHandler):
        def call(self, context):
            transaction.atomic().__enter__()
            TaskNamespace.objects.create(name="left_open")

    bench.handle(Leaving)

    assert bench.report_of(bench.claim())["success"] is True
    assert not connections["default"].in_atomic_block
    assert not TaskNamespace.objects.filter(name="left_open").exists()


def test_an_atomic_handlers_writes_are_rolled_back_at_its_deadline(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def writing():
        TaskNamespace.objects.create(name="half")
        spin(20)

    bench.handle(writing)

    assert_timed_out(bench.report_of(bench.claim(timeout_seconds=1)))
    assert not TaskNamespace.objects.filter(name="half").exists()


def test_a_thread_of_its_own_runs_the_next_step_undisturbed(committing_bench):
    bench = committing_bench

    class Busy(StepHandler):
        def call(self, context):
            if context.get_input("busy"):
                spin(20)
            return {"ok": True}

    bench.handle(Busy)

    assert_timed_out(bench.report_of(bench.claim(context={"busy": True}, timeout_seconds=1)))
    assert bench.report_of(bench.claim())["success"] is True


# --- the watchdog against a handler that returns at the very moment


class Claimed:
    checkpoint = None


class Handler:
    def __init__(self, body):
        self.body = body

    def call(self, context):
        return self.body()


def clean_up_when_interrupted(*, seconds):
    try:
        spin(20)
    except StepTimeoutError:
        spin(seconds)
        raise


@pytest.fixture
def race():
    """Return `run(body)`: one call under a deadline of a few milliseconds."""
    overdue: list[Execution] = []
    watchdog = Watchdog(grace_seconds=60, on_overdue=overdue.append)

    def run(body, *, seconds):
        execution = Execution(cast("Any", Claimed()), progress=Progress(), timeout_seconds=seconds)
        return invoke(Handler(body), StepContext(), execution=execution, watchdog=watchdog)

    yield run
    watchdog.close()
    assert overdue == []


@pytest.mark.parametrize("offset", [-0.0002, 0, 0.0002])
def test_the_interruption_never_hits_anything_but_the_handler(race, offset):
    seconds = 0.003
    outcomes = set()

    for _ in range(150):
        found = race(lambda: spin(seconds + offset), seconds=seconds)
        outcomes.add(found.is_timed_out)
        if not found.is_timed_out:
            assert found.error is None
        spin(0.0005)  # an exception that came too late would be raised here

    assert outcomes <= {True, False}


@override_settings(TASKER=TEST)
def test_a_watchdog_that_was_never_used_can_be_closed():
    Watchdog(grace_seconds=1, on_overdue=print).close()


def test_an_earlier_deadline_wakes_the_watchdog(race):
    results = []
    long = threading.Thread(target=lambda: results.append(race(lambda: spin(1.5), seconds=60)))
    long.start()
    started = time.monotonic()

    found = race(lambda: spin(20), seconds=0.2)

    assert found.is_timed_out
    assert time.monotonic() - started < 5
    long.join()
    assert [each.is_timed_out for each in results] == [False]


def test_a_process_that_was_frozen_past_grace_too_gives_its_handlers_their_grace():
    """After a SIGSTOP the deadline is long gone when the watchdog first sees it."""
    overdue: list[Execution] = []
    watchdog = Watchdog(grace_seconds=30, on_overdue=overdue.append)
    execution = Execution(cast("Any", Claimed()), progress=Progress(), timeout_seconds=-600)

    found = invoke(
        Handler(lambda: clean_up_when_interrupted(seconds=0.3)),
        StepContext(),
        execution=execution,
        watchdog=watchdog,
    )
    watchdog.close()

    assert found.is_timed_out
    assert overdue == []
