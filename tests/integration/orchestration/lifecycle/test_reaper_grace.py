"""When a reaper judges nobody: after an outage that workers may have met too (engine.md 13.6).

Then a lock that is free, or a lease that has ended, says nothing about the worker.
"""

import math
import time
from dataclasses import replace

import pytest
from django.db import OperationalError, connections

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.lifecycle.due_work import judging_grace_seconds
from orchestration.orchestrator import DueWork
from orchestration.queries.recovery import reap_leases
from orchestration.runtime import database
from orchestration.runtime.database import CONNECTION_ERRORS, discard_connections
from orchestration.testing import linear
from tests.factories import ticks


def timer_with(**changes):
    """Make a timer of a process that polls its queues every minute."""
    return DueWork(ticks.MOVE, replace(engine_settings(), **changes), lambda: 60.0)


def server_age_seconds():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - pg_postmaster_start_time())::float8")
        return cursor.fetchone()[0]


def expired_claim(clock):
    """Claim a step and let its lease end; a timer that has looked once, and may judge."""
    ticks.start(linear(1))
    timer = timer_with()
    timer.run_once()
    timer.next_look = 0.0
    ticks.claim()
    clock.advance(31)
    return timer


def is_judged_after_the_grace(timer):
    began = time.monotonic()
    timer.answered_at = began - 0.5
    found = timer.run_once()
    assert timer.judges_from >= began + judging_grace_seconds(engine_settings(), outage_seconds=0.5)
    timer.next_look = timer.judges_from = 0.0  # the grace is over
    return (found, timer.run_once()) == (0, 1)


@pytest.mark.parametrize(
    ("outage_seconds", "grace_seconds"), [(0, 1), (1.5, 2.5), (10, 11), (600, 11), (math.inf, 11)]
)
def test_the_grace_is_as_long_as_the_outage_and_a_heartbeat_at_most(outage_seconds, grace_seconds):
    settings = replace(engine_settings(), heartbeat_seconds=10)

    assert judging_grace_seconds(settings, outage_seconds=outage_seconds) == grace_seconds


@pytest.mark.django_db
def test_an_outage_lasts_from_the_last_round_that_had_an_answer(clock, monkeypatch):
    timer = expired_claim(clock)
    timer.answered_at -= 60
    monkeypatch.setattr(database, "_loss_count", database._loss_count + 1)
    began = time.monotonic()

    found = timer.run_once()

    assert found == 0
    assert timer.judges_from >= began + engine_settings().heartbeat_seconds
    assert timer.answered_at >= began


@pytest.mark.django_db
def test_the_look_after_a_grace_comes_when_it_ends(clock, monkeypatch):
    timer = expired_claim(clock)
    timer.answered_at = time.monotonic()
    monkeypatch.setattr(database, "_loss_count", database._loss_count + 1)
    timer.settings = replace(engine_settings(), liveness_check_seconds=60)

    timer.run_once()

    assert timer.next_look == timer.judges_from


@pytest.mark.django_db
@pytest.mark.parametrize(("claims", "pause_seconds"), [(0, 10), (1, 0.5)])
def test_free_locks_are_looked_for_twice_in_the_period_while_a_step_is_claimed(
    claims, pause_seconds
):
    ticks.start(linear(1))
    for _ in range(claims):
        ticks.claim()
    timer = timer_with(liveness_check_seconds=1)

    timer.run_once()
    ended = time.monotonic()

    assert timer.next_look == pytest.approx(ended + pause_seconds, abs=0.2)


@pytest.mark.django_db
def test_looks_stay_close_for_a_while_after_the_last_claim():
    ticks.start(linear(1))
    [claim] = ticks.claim()
    timer = timer_with(liveness_check_seconds=1)
    timer.run_once()
    ticks.report(ticks.success(claim))
    timer.next_look = 0.0

    timer.run_once()

    assert timer.next_look == pytest.approx(time.monotonic() + 2, abs=0.2)


@pytest.mark.django_db
def test_whoever_claims_while_all_is_quiet_wakes_the_timer_for_a_close_look():
    timer = timer_with(liveness_check_seconds=1)
    timer.run_once()
    assert timer.idle_seconds() == pytest.approx(10, abs=0.2)

    timer.run_once()  # long before the pause ends

    assert timer.idle_seconds() == pytest.approx(2, abs=0.2)


@pytest.mark.django_db
def test_a_timer_that_cannot_be_woken_looks_every_two_seconds():
    timer = timer_with(liveness_check_seconds=1)
    timer.poll_seconds = lambda: 0.25

    timer.run_once()

    assert timer.idle_seconds() == pytest.approx(2, abs=0.2)


@pytest.mark.django_db
def test_a_timer_that_starts_judges_at_once(clock):
    ticks.start(linear(1))
    ticks.claim()
    clock.advance(31)

    assert timer_with().run_once() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_is_judged_for_the_grace_after_a_lost_connection(clock, second_connection):
    timer = expired_claim(clock)
    backend = second_connection(
        "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    with pytest.raises(CONNECTION_ERRORS) as met:
        timer.run_once()
    discard_connections(met.value)  # as the loop does
    clock.advance(31)  # of the new session

    assert backend == "true"
    assert is_judged_after_the_grace(timer)


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_met_its_time_limit_puts_nothing_off(clock):
    """A row that somebody locks for long may not keep lost workers from being found."""
    timer = expired_claim(clock)

    with pytest.raises(OperationalError) as met, connections["default"].cursor() as cursor:
        cursor.execute("SET statement_timeout = 20; SELECT pg_sleep(5)")
    discard_connections(met.value)  # as the loop does
    clock.advance(31)  # of the new session

    assert timer.run_once() == 1


@pytest.mark.django_db
def test_nobody_is_judged_for_the_grace_after_another_loop_lost_its_connection(clock, monkeypatch):
    """The pool replaces dead connections by itself: the timer's own statement need not fail."""
    timer = expired_claim(clock)
    monkeypatch.setattr(database, "_loss_count", database._loss_count + 1)

    assert is_judged_after_the_grace(timer)


@pytest.mark.django_db
@pytest.mark.parametrize("event", ["lost", "back"])
def test_nobody_is_judged_for_the_grace_after_the_listener_was_lost_or_came_back(clock, event):
    active = metrics.LISTENER_ACTIVE.value
    try:
        timer = expired_claim(clock)
        if event == "lost":
            metrics.LISTENER_ACTIVE.set(1 - active, mode="Hybrid")
        else:
            metrics.LISTENER_RECONNECTIONS.add()

        assert is_judged_after_the_grace(timer)
    finally:
        metrics.LISTENER_ACTIVE.set(active, mode="Hybrid")


@pytest.mark.django_db
def test_nobody_is_judged_by_a_server_that_has_just_started(clock):
    expired_claim(clock)
    age = server_age_seconds()

    too_early = reap_leases(limit=10, lock_seconds=2, grace_seconds=age + 60)
    in_time = reap_leases(limit=10, lock_seconds=2, grace_seconds=age - 1)

    assert (len(too_early), len(in_time)) == (0, 1)
