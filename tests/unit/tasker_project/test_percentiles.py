"""Statistics of measurements: nearest rank, stable keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasker_project.bench.percentiles import percentile, summarise

SAMPLES = st.lists(st.floats(0, 1e6), min_size=1)


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100), (1, 1), (0, 1)]
)
def test_percentile_of_the_numbers_to_100_is_the_number_itself(percent, expected):
    assert percentile(range(1, 101), percent) == expected


def test_percentile_of_few_samples_is_a_sample():
    assert percentile([1.0, 2.0, 10.0], 50) == 2.0
    assert percentile([1.0, 2.0, 10.0], 95) == 10.0


def test_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


@given(SAMPLES, st.integers(0, 100))
def test_percentile_leaves_at_most_its_share_above_it(samples, percent):
    ordered = sorted(samples)

    found = percentile(ordered, percent)

    assert found in ordered
    assert sum(each > found for each in ordered) <= len(ordered) * (100 - percent) / 100


def test_summarise_names_every_figure_after_what_was_measured():
    figures = summarise("latency_linear4", [3.0, 1.0, 2.0])

    assert figures == {
        "latency_linear4.n": 3,
        "latency_linear4.mean_ms": 2.0,
        "latency_linear4.p50_ms": 2.0,
        "latency_linear4.p95_ms": 3.0,
        "latency_linear4.p99_ms": 3.0,
        "latency_linear4.max_ms": 3.0,
    }
