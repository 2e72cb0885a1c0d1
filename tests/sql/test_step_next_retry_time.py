"""calculate_step_next_retry_time: measured from the failure."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sql.rows import value

pytestmark = pytest.mark.django_db

ATTEMPTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FAILED = ATTEMPTED + timedelta(minutes=5)


def next_retry_time(backoff, attempted, failed, attempts, *limits):
    marks = ", %s" * len(limits)
    return value(
        "SELECT calculate_step_next_retry_time("
        f"%s::float8, %s::timestamptz, %s::timestamptz, %s::int{marks})",
        backoff,
        attempted,
        failed,
        attempts,
        *limits,
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((7.5, ATTEMPTED, FAILED, 1), FAILED + timedelta(seconds=7.5)),
        ((7.5, ATTEMPTED, None, 1), ATTEMPTED + timedelta(seconds=7.5)),
        ((0.0, ATTEMPTED, FAILED, 1), FAILED),
        ((7.5, None, None, 1), None),
        ((None, ATTEMPTED, FAILED, 1), FAILED + timedelta(seconds=1)),
        ((None, ATTEMPTED, FAILED, 2), FAILED + timedelta(seconds=2)),
        ((None, ATTEMPTED, FAILED, 5), FAILED + timedelta(seconds=16)),
        ((None, ATTEMPTED, FAILED, 6), FAILED + timedelta(seconds=30)),
        ((None, ATTEMPTED, FAILED, 2_000_000_000), FAILED + timedelta(seconds=30)),
        ((None, ATTEMPTED, FAILED, 0), FAILED + timedelta(seconds=1)),
        ((None, ATTEMPTED, FAILED, None), FAILED + timedelta(seconds=1)),
        ((None, ATTEMPTED, None, 3), None),
        ((None, ATTEMPTED, FAILED, 3, 0.5, 60.0), FAILED + timedelta(seconds=2)),
        ((None, ATTEMPTED, FAILED, 3, 10.0, 15.0), FAILED + timedelta(seconds=15)),
    ],
)
def test_due_time(arguments, expected):
    assert next_retry_time(*arguments) == expected
