"""tasker_next_due_at: the earliest retry or end of a lease."""

from datetime import timedelta

import pytest

from tests.sql.rows import single, value

pytestmark = pytest.mark.django_db


def next_due_at():
    return value("SELECT tasker_next_due_at()")


def test_nothing_is_due_without_retries_and_leases():
    single("pending")
    single("enqueued")

    assert next_due_at() is None


def test_the_earliest_of_retries_and_leases_is_answered(clock):
    for seconds in (50, 20, 70):
        single("waiting_for_retry", next_retry_at=clock.now + timedelta(seconds=seconds))
    assert next_due_at() == clock.now + timedelta(seconds=20)

    for seconds in (90, 10):
        single("in_progress", lease_until=clock.now + timedelta(seconds=seconds))
    assert next_due_at() == clock.now + timedelta(seconds=10)


def test_a_lease_alone_is_answered(clock):
    single("in_progress", lease_until=clock.now + timedelta(seconds=30))

    assert next_due_at() == clock.now + timedelta(seconds=30)


@pytest.mark.parametrize("columns", [{"attempts": 3, "max_attempts": 3}, {"retryable": False}])
def test_a_retry_that_may_not_be_made_does_not_count(clock, columns):
    single("waiting_for_retry", next_retry_at=clock.now, **columns)

    assert next_due_at() is None


def test_a_past_time_is_answered_as_it_is(clock):
    single("waiting_for_retry", next_retry_at=clock.now - timedelta(hours=1))

    assert next_due_at() == clock.now - timedelta(hours=1)
