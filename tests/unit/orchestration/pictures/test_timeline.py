"""Spans from moves, the critical path, the axis of time, and the drawing."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from orchestration.pictures.time_axis import TimeAxis
from orchestration.pictures.timeline import (
    SpanKind,
    StateChange,
    TimelineRow,
    critical_path,
    timeline_rows,
)
from orchestration.pictures.timeline_svg import TaskMove, render_timeline

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>\x00\u202e'
QUEUE, RUN, BACKOFF, RESULT = SpanKind.QUEUE, SpanKind.RUN, SpanKind.BACKOFF, SpanKind.RESULT


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def life(step: str, *moves: tuple[float, str, int]) -> list[StateChange]:
    return [StateChange(step, at(seconds), state, attempt) for seconds, state, attempt in moves]


def ran(step: str, begin: float, end: float) -> list[StateChange]:
    return life(
        step,
        (0, "pending", 0),
        (begin, "enqueued", 0),
        (begin + 1, "in_progress", 1),
        (end - 1, "enqueued_for_orchestration", 1),
        (end, "complete", 1),
    )


def spans(row: TimelineRow) -> list[tuple[SpanKind, float, int]]:
    return [(span.kind, span.duration.total_seconds(), span.attempt) for span in row.spans]


def test_a_step_that_ran_once_waits_runs_and_has_its_result_taken():
    (row,) = timeline_rows(ran("charge", 2, 10), now=at(99))

    assert spans(row) == [(QUEUE, 1, 1), (RUN, 6, 1), (RESULT, 1, 1)]
    assert (row.state, row.total(RUN)) == ("complete", timedelta(seconds=6))
    assert not any(span.is_open for span in row.spans)


def test_a_retry_shows_its_back_off_and_counts_its_attempts():
    moves = life(
        "charge",
        (0, "enqueued", 0),
        (1, "in_progress", 1),
        (2, "enqueued_as_error_for_orchestration", 1),
        (3, "waiting_for_retry", 1),
        (8, "pending", 1),
        (8, "enqueued", 1),
        (9, "in_progress", 2),
    )

    (row,) = timeline_rows(moves, now=at(12))

    expected = [(QUEUE, 1, 1), (RUN, 1, 1), (RESULT, 1, 1)]
    expected += [(BACKOFF, 5, 1), (QUEUE, 1, 2), (RUN, 3, 2)]
    assert spans(row) == expected
    assert [span.is_open for span in row.spans] == [False] * 5 + [True]
    assert row.total(QUEUE) == timedelta(seconds=2)


def test_rows_are_in_the_order_in_which_steps_began_those_that_did_not_come_last():
    moves = [*ran("late", 5, 9), *life("never", (0, "pending", 0)), *ran("early", 1, 4)]

    rows = timeline_rows(moves, now=at(10))

    assert [row.step for row in rows] == ["early", "late", "never"]
    assert rows[2].spans == ()


def test_the_critical_path_goes_back_through_the_parents_that_ended_last():
    moves = [*ran("a", 0, 3), *ran("b", 3, 6), *ran("c", 3, 20), *ran("join", 20, 25)]
    parents = {"b": ["a"], "c": ["a"], "join": ["b", "c", "not there"]}

    assert critical_path(timeline_rows(moves, now=at(30)), parents) == {"a", "c", "join"}
    assert critical_path([], {}) == set()


def test_a_cycle_of_parents_ends():
    rows = timeline_rows([*ran("a", 0, 3), *ran("b", 0, 4)], now=at(9))

    assert critical_path(rows, {"a": ["b"], "b": ["a"]}) == {"a", "b"}


def test_a_clock_that_goes_back_makes_no_span_of_negative_length():
    moves = life("charge", (5, "enqueued", 0), (4, "in_progress", 1), (6, "complete", 1))

    (row,) = timeline_rows(moves, now=at(9))

    assert spans(row) == [(QUEUE, 0, 1), (RUN, 2, 1)]


def test_wall_time_is_in_proportion():
    axis = TimeAxis([(at(0), at(10)), (at(90), at(100))], width=1000, scale="wall")

    assert [axis.place(at(s)) for s in (-5, 0, 50, 100, 200)] == [0, 0, 500, 1000, 1000]
    assert axis.cuts == []


def test_idle_time_is_cut_to_a_strip():
    axis = TimeAxis([(at(0), at(10)), (at(9000), at(9010))], width=1000, scale="run")

    (cut,) = axis.cuts
    assert (cut.left, cut.right) == (490, 510)
    assert axis.place(at(10)) == 490
    assert axis.place(at(9000)) == 510
    assert axis.place(at(4505)) == 500
    assert axis.place(at(9010)) == 1000


def test_a_short_pause_is_not_cut():
    axis = TimeAxis([(at(0), at(10)), (at(11), at(20))], width=1000, scale="run")

    assert axis.cuts == []


def test_many_pauses_leave_half_of_the_line_for_the_work():
    stretches = [(at(n * 1000), at(n * 1000 + 1)) for n in range(500)]

    axis = TimeAxis(stretches, width=1000, scale="run")

    work = sum(piece.right - piece.left for piece in axis.pieces if not piece.is_cut)
    assert work >= 500


@pytest.mark.parametrize("length", [0.004, 0.9, 45, 700, 90_000, 3e7])
def test_ticks_are_few_and_round(length):
    axis = TimeAxis([(at(0), at(length))], width=760, scale="run")

    ticks = axis.ticks()

    assert 2 <= len(ticks) <= 10
    assert (ticks[0].at, ticks[0].seconds) == (0, 0)
    assert all(0 <= tick.at <= 760 for tick in ticks)


def test_an_empty_axis_has_no_ticks():
    axis = TimeAxis([], width=760, scale="run")

    assert len(axis.ticks()) == 0
    assert axis.place(at(3)) == 0


def test_moments_that_coincide_are_drawn():
    axis = TimeAxis([(at(0), at(0))], width=760, scale="run")

    assert 0 <= axis.place(at(0)) <= 760
    assert len(axis.ticks()) > 0


def drawn(*moves: StateChange, **rest) -> ElementTree.Element:
    rows = timeline_rows(moves, now=at(60))
    text = render_timeline(rows, title=rest.pop("title", "t"), parents={}, **rest)
    return ElementTree.fromstring(text)  # noqa: S314 our own drawing


def test_the_drawing_names_what_every_bar_is():
    drawing = drawn(*ran("charge", 2, 10), moves=[TaskMove(at(2), "steps_in_process", "start")])

    titles = [each.text or "" for each in drawing.iter() if each.tag.endswith("title")]
    assert "running, attempt 1: 6s, from 12:00:03.000000" in titles
    assert any(title.startswith("task: steps in process (start)") for title in titles)
    assert drawing.attrib["role"] == "img"
    description = next(each.text for each in drawing if each.tag.endswith("desc"))
    assert description == "1 steps in 8s; on the critical path: charge."


def test_hostile_names_are_text():
    drawing = drawn(*ran(HOSTILE, 1, 5), title=HOSTILE)

    assert not [each for each in drawing.iter() if each.tag.endswith("script")]


def test_a_cut_says_how_long_nothing_happened():
    moves = [*ran("a", 0, 5), *ran("b", 5000, 5005)]

    titles = [each.text or "" for each in drawn(*moves).iter() if each.tag.endswith("title")]

    assert "nothing for 1h 23m 15s" in titles
