"""The delay that a failure asks for (handlers.md 3.4)."""

from datetime import UTC, timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from workers.executor.report import LONGEST_DELAY_SECONDS, backoff_hint


def in_seconds(seconds):
    return format_datetime((timezone.now() + timedelta(seconds=seconds)).astimezone(UTC), True)


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({}, None),
        ({"retry_after": 30}, 30),
        ({"retry_after": 0.5}, 0.5),
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": 0}, 0),
        ({"retry_after": -5}, 0),
        ({"retry_after": "-5"}, 0),
        ({"retry_after": -0.5}, 0),
        ({"retry_after": True}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": float("nan")}, None),
        ({"retry_after": float("inf")}, None),
        ({"retry_after": [30]}, None),
        ({"retry_after": 10**400}, LONGEST_DELAY_SECONDS),
        ({"retry_after_seconds": 4}, 4),
        ({"headers": {"retry-after": "9"}}, 9),
        ({"headers": {"Retry-After": "9"}}, 9),
        ({"headers": "none"}, None),
        ({"retry_after": 1, "retry_after_seconds": 2, "headers": {"retry-after": 3}}, 1),
        ({"retry_after": "soon", "retry_after_seconds": 2}, 2),
        ({"retry_after": in_seconds(-100)}, None),
        ({"retry_after": "Sun, 06 Nov 1994 08:49:37 GMT", "retry_after_seconds": 3}, 3),
    ],
)
def test_the_first_readable_wish_counts(metadata, seconds):
    found = backoff_hint(metadata)

    if seconds is None:
        assert found is None
    else:
        assert found == {
            "backoff_type": "ServerRequested",
            "delay_seconds": seconds,
            "context": None,
        }


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_an_http_date_is_seconds_from_now(zone):
    found = backoff_hint({"retry_after": in_seconds(100).replace("GMT", zone)})

    assert found is not None
    assert 98 <= found["delay_seconds"] <= 101
