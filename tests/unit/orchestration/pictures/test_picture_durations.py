"""How durations are written (handlers.md 8.4)."""

from datetime import timedelta

import pytest

from orchestration.pictures.durations import duration_text, elapsed, step_duration
from tests.factories.graphs import CREATED_AT, graph, step_row, template


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=-5), "0s"),
        (timedelta(0), "0s"),
        (timedelta(milliseconds=1), "1ms"),
        (timedelta(microseconds=999_999), "999ms"),
        (timedelta(seconds=1), "1s"),
        (timedelta(seconds=2, milliseconds=50), "2.050s"),
        (timedelta(seconds=60), "1m"),
        (timedelta(seconds=60, milliseconds=7), "1m 0.007s"),
        (timedelta(seconds=62, milliseconds=50), "1m 2.050s"),
        (timedelta(seconds=3599, milliseconds=999), "59m 59.999s"),
        (timedelta(hours=1), "1h"),
        (timedelta(hours=1, milliseconds=5), "1h"),
        (timedelta(hours=1, seconds=5, milliseconds=900), "1h 5s"),
        (timedelta(hours=30, minutes=2), "30h 2m"),
    ],
)
def test_a_duration_is_written(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


def test_a_step_took_as_long_as_its_last_attempt() -> None:
    done_at = CREATED_AT + timedelta(seconds=90)
    attempted_at = CREATED_AT + timedelta(seconds=88)

    assert step_duration(step_row("a", completed_at=done_at)) == "1m 30s"
    again = step_row("a", completed_at=done_at, last_attempted_at=attempted_at)
    assert step_duration(again) == "2s"
    assert step_duration(step_row("a", "in_progress", last_attempted_at=attempted_at)) is None


def test_only_an_unfinished_task_depends_on_the_clock() -> None:
    found = template({"name": "a"})
    done_at = CREATED_AT + timedelta(seconds=4)

    assert elapsed(graph(found, []).task) == "1m 15s"
    assert elapsed(graph(found, [], state="complete", completed_at=done_at).task) == "4s"
