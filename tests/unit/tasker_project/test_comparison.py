"""Figures against earlier ones and against their floors."""

import json

import pytest

from tasker_project.bench.comparison import read, regressions
from tasker_project.bench.errors import BenchError
from tasker_project.bench.targets import missed


def test_a_slower_median_beyond_the_allowance_is_a_regression():
    found = regressions({"e.p50_ms": 12.0}, {"e.p50_ms": 10.0}, max_percent=15)

    assert found == ["e.p50_ms is 12.0, was 10.0: 20 % worse, 15 allowed"]


@pytest.mark.parametrize(
    ("key", "now", "before"),
    [
        ("e.p50_ms", 11.4, 10.0),  # within the allowance
        ("e.p50_ms", 5.0, 10.0),  # better
        ("e.max_ms", 90.0, 10.0),  # a tail is not judged
        ("t.steps_per_second", 2000.0, 1000.0),  # more is better
        ("i.commits_per_minute", 50.0, 0.0),  # nothing to compare with
    ],
)
def test_what_is_no_regression_passes(key, now, before):
    assert regressions({key: now}, {key: before}, max_percent=15) == []


def test_fewer_steps_a_second_are_a_regression():
    key = "t.steps_per_second"

    assert "100 % worse" in regressions({key: 500.0}, {key: 1000.0}, max_percent=15)[0]


def test_only_figures_measured_both_times_are_compared():
    now = {"a.p50_ms": 9.0, "c.p50_ms": 1.0}

    assert regressions(now, {"b.p50_ms": 1.0, "c.p50_ms": 1.0}, max_percent=15) == []


def test_figures_of_something_else_do_not_pass_for_equal_ones():
    found = regressions({"a.p50_ms": 9.0}, {"b.p50_ms": 1.0}, max_percent=15)

    assert found == ["None of the figures measured now is among those to compare with"]


@pytest.mark.parametrize(
    "kind", ["statements_per_step", "round_trips_per_step", "rows_written_per_step"]
)
def test_more_work_for_a_step_is_a_regression(kind):
    assert regressions({f"p.{kind}": 6.0}, {f"p.{kind}": 5.0}, max_percent=15)


def test_stored_figures_are_read(tmp_path):
    stored = tmp_path / "bench.json"
    stored.write_text(json.dumps({"facts": {}, "figures": {"a.p50_ms": 1.5}}))

    assert read(stored) == {"a.p50_ms": 1.5}


@pytest.mark.parametrize("text", ["", "[]", "{}", "{"])
def test_a_file_that_holds_no_figures_is_named(tmp_path, text):
    stored = tmp_path / "bench.json"
    stored.write_text(text)

    with pytest.raises(BenchError, match=r"bench\.json cannot be compared with"):
        read(stored)


def test_a_missed_floor_is_told_and_a_held_one_is_not():
    figures = {
        "sql.5k.next_ready_10.mean_ms": 3.5,
        "sql.100k.next_ready_10.mean_ms": 3.5,
        "throughput_linear4.tasks_per_second": 99.0,
    }

    assert missed(figures) == [
        "sql.5k.next_ready_10.mean_ms is 3.5; at most 3 is wanted",
        "throughput_linear4.tasks_per_second is 99.0; at least 100 is wanted",
    ]
