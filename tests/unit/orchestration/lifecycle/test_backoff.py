"""The table of delays, engine.md 8.2."""

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from orchestration.conf import engine_settings
from orchestration.lifecycle.backoff import Policy, delay_seconds, requested_delay

SETTINGS = replace(
    engine_settings(),
    default_backoff_base_ms=1000,
    default_backoff_strategy="exponential",
    backoff_multiplier=2.0,
    backoff_jitter_ratio=0.1,
    max_backoff_seconds=300,
    max_requested_backoff_seconds=3600,
)
NOW = timezone.now().replace(microsecond=0)


def delay(attempt, policy, *, requested=None, at=0.5, settings=SETTINGS):
    """Return the delay with the spread at a place between its ends, 0 to 1."""
    return delay_seconds(
        attempt,
        policy,
        requested=requested,
        settings=settings,
        spread=lambda low, high: low + (high - low) * at,
    )


@pytest.mark.parametrize(
    ("strategy", "delays"),
    [
        ("exponential", [1, 2, 4, 8, 16]),
        ("linear", [1, 2, 3, 4, 5]),
        ("fibonacci", [1, 1, 2, 3, 5]),
        ("none", [0, 0, 0, 0, 0]),
    ],
)
def test_delay_grows_by_strategy(strategy, delays):
    policy = Policy(strategy, 1000, 60_000)

    assert [delay(n, policy) for n in range(1, 6)] == delays


def test_delay_grows_by_the_multiplier_of_the_settings():
    settings = replace(SETTINGS, backoff_multiplier=3.0)

    assert [delay(n, Policy("exponential", 100, None), settings=settings) for n in (1, 2, 3)] == [
        0.1,
        0.3,
        0.9,
    ]


def test_delay_takes_the_engines_defaults_when_the_step_says_nothing():
    assert [delay(n, Policy(None, None, None)) for n in (1, 2, 3)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("step_cap_ms", "expected"), [(5000, 5), (None, 300), (900_000, 300), (0, 0)]
)
def test_delay_is_capped_by_the_lower_of_step_and_settings(step_cap_ms, expected):
    assert delay(30, Policy("exponential", 1000, step_cap_ms)) == expected


def test_delay_of_a_huge_attempt_is_the_cap():
    assert delay(5000, Policy("exponential", 1000, None)) == 300


@pytest.mark.parametrize(("at", "expected"), [(0, 0.9), (0.5, 1.0), (1, 1.1)])
def test_delay_is_spread_by_a_tenth_either_way(at, expected):
    assert delay(1, Policy("exponential", 1000, 60_000), at=at) == expected


def test_delay_never_exceeds_the_cap_after_the_spread():
    assert delay(9, Policy("linear", 1000, 4000), at=1) == 4


def test_delay_is_not_spread_when_the_ratio_is_zero():
    settings = replace(SETTINGS, backoff_jitter_ratio=0.0)

    assert delay(1, Policy("linear", 1234, None), at=1, settings=settings) == 1.234


def test_delay_has_three_decimals():
    assert delay(1, Policy("linear", 1, None), at=0.777) == 0.001


@pytest.mark.parametrize(
    ("requested", "expected"), [(7, 7), (0, 0), (3600, 3600), (4000, 3600), (400, 400)]
)
def test_requested_delay_goes_before_the_policy_and_has_its_own_cap(requested, expected):
    assert delay(1, Policy("linear", 1000, 2000), requested=requested, at=1) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"backoff_hint": {"backoff_type": "RateLimit", "delay_seconds": 7.5}}, 7.5),
        ({"backoff_hint": {"delay_seconds": -3}}, 0),
        ({"backoff_hint": {"delay_seconds": 10**400}}, 10**9),
        ({"backoff_hint": {"delay_seconds": 2}, "headers": {"retry-after": "9"}}, 2),
        ({"backoff_hint": None, "headers": {"retry-after": "9"}}, 9),
        ({"backoff_hint": {"delay_seconds": "soon"}, "headers": {"Retry-After": "9"}}, 9),
        ({"backoff_hint": {"delay_seconds": True}, "headers": {"RETRY-AFTER": " 12 "}}, 12),
        ({"headers": {"retry-after": 0}}, 0),
        ({"headers": {"retry-after": "-1"}}, None),
        ({"headers": {"retry-after": "1.5"}}, None),
        ({"headers": {"retry-after": "tomorrow"}}, None),
        ({"headers": {"retry-after": "Wed, 21 Oct 99999999999999999999 07:28:00 GMT"}}, None),
        ({"headers": {"retry-after": "Wed, 21 Oct 2015 07:28:00 +99999999999999999999"}}, None),
        ({"headers": {"retry-after": ""}}, None),
        ({"headers": {"content-type": "text/html"}}, None),
        ({"headers": ["retry-after"]}, None),
        ({}, None),
        (None, None),
        ("retry", None),
    ],
)
def test_requested_delay_is_read_from_hint_then_header(metadata, expected):
    assert requested_delay(metadata, now=NOW) == expected


@pytest.mark.parametrize(("ahead_seconds", "expected"), [(90, 90), (-90, None), (0, None)])
def test_requested_delay_is_read_from_a_date_in_the_future(ahead_seconds, expected):
    date = format_datetime(NOW + timedelta(seconds=ahead_seconds), usegmt=True)

    assert requested_delay({"headers": {"Retry-After": date}}, now=NOW) == expected


def test_requested_delay_reads_a_date_without_zone_as_utc():
    date = (NOW + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S -0000")

    assert requested_delay({"headers": {"retry-after": date}}, now=NOW) == 60
