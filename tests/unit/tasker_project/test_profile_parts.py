"""The pure parts of `bench profile`: counters, stacks, and what is made of them."""

import pytest

from tasker_project.bench.profile import python, statements, tables
from tasker_project.bench.profile.counters import grown, per_step
from tasker_project.bench.profile.python import Sampled
from tasker_project.bench.profile.stacks import (
    Share,
    Stack,
    file_of,
    function_of,
    parse,
    shares,
)
from tasker_project.bench.profile.statements import Statement

RAW = """\
main (manage.py:8);run_once (workers/worker/claiming.py:90);execute (psycopg/cursor.py:97) 6
main (manage.py:8);run_once (workers/worker/claiming.py:90) 3
main (manage.py:8);walk (a.py:1);walk (a.py:1) 1

not a stack
"""


def test_only_what_grew_is_told_and_what_is_new_began_at_zero():
    before = {"a": (1.0, 2.0), "b": (5.0, 5.0)}

    found = grown(before, {"a": (4.0, 2.0), "b": (5.0, 5.0), "c": (7.0, 0.0)})

    assert found == {"a": (3.0, 0.0), "c": (7.0, 0.0)}
    assert per_step(found["a"], 4) == (0.75, 0.0)


def test_stacks_are_read_from_the_root_to_the_top():
    stacks = parse(RAW)

    assert [stack.times for stack in stacks] == [6, 3, 1]
    assert stacks[1] == Stack(("main (manage.py:8)", "run_once (workers/worker/claiming.py:90)"), 3)


@pytest.mark.parametrize(
    ("frame", "function", "file"),
    [
        ("wait (threading.py:355)", "wait (threading.py)", "threading.py"),
        ("<lambda> (a/b.py:1)", "<lambda> (a/b.py)", "a/b.py"),
        ("_exec (<frozen importlib>:1)", "_exec (<frozen importlib>)", "<frozen importlib>"),
        ("strange", "strange", "strange"),
    ],
)
def test_a_frame_has_a_function_and_a_file(frame, function, file):
    assert (function_of(frame), file_of(frame)) == (function, file)


def test_what_calls_itself_counts_once_a_stack():
    found = {share.name: share for share in shares(parse(RAW), function_of)}

    assert found["main (manage.py)"] == Share("main (manage.py)", 0, 10)
    assert found["walk (a.py)"] == Share("walk (a.py)", 1, 1)
    assert found["run_once (workers/worker/claiming.py)"][1:] == (3, 9)


def test_samples_are_told_in_percent_of_those_that_held_the_interpreter():
    functions, callers, files = python.listings(Sampled("worker1", parse(RAW), 0.1))

    assert functions.title == ("worker1: Python, 10 samples, interpreter held 50 % by functions")
    assert functions.rows[0] == ("execute (psycopg/cursor.py)", 60.0, 60.0)
    assert callers.rows[0] == ("main (manage.py)", 0.0, 100.0)
    assert files.rows[:2] == [
        ("psycopg/cursor.py", 60.0, 60.0),
        ("workers/worker/claiming.py", 30.0, 90.0),
    ]


def test_every_sent_statement_is_a_round_trip():
    counted = {
        statements._statement('SELECT $2 FROM ONLY "public"."t" x\nFOR KEY SHARE', True): (
            *(30.0, 1.0, 30.0, 0.0),
        ),
        Statement("BEGIN", "sent"): (10.0, 0.1, 0.0, 0.0),
        Statement("COMMIT", "sent"): (10.0, 0.1, 0.0, 0.0),
        Statement("SELECT * FROM tasker_claim_steps($1)", "sent"): (20.0, 40.0, 20.0, 9000.0),
        Statement("UPDATE tasker_workflow_steps SET state = $1", "inner"): (
            60.0,
            30.0,
            60.0,
            8000.0,
        ),
    }

    assert statements.figures(counted, 10) == {
        "round_trips_per_step": 4.0,
        "statements_per_step": 2.0,
        "inner_statements_per_step": 6.0,
        "key_checks_per_step": 3.0,
    }
    listing = statements.listing("saturated", counted, 10)
    assert listing.title == "saturated: statements, per step"
    assert listing.rows[0] == (
        *("SELECT * FROM tasker_claim_steps($1)", "sent"),
        *(2.0, 4.0, 2.0, 900.0),
    )
    assert [row[1] for row in listing.rows[:3]] == ["sent", "inner", "key check"]


def test_tables_tell_what_is_written_and_how_much_of_it_is_hot():
    counted = {
        "tasker_tasks": (0.0, 8.0, 0.0, 6.0, 0.0, 16.0),
        "pgmq.q_worker_bench_queue": (4.0, 4.0, 4.0, 0.0, 0.0, 8.0),
    }

    assert tables.figures(counted, 4) == {"rows_written_per_step": 5.0, "hot_update_percent": 50.0}
    queue, tasks = tables.listing("calm", counted, 4).rows
    assert queue == ("pgmq.q_worker_bench_queue", 1.0, 1.0, 1.0, 0.0, 0.0, 2.0)
    assert tasks == ("tasker_tasks", 0.0, 2.0, 0.0, 75.0, 0.0, 4.0)
