"""A worker that dies, or loses its connection, anywhere in an `atomic=True` handler and its report.

Rows of the business and result of the step are one transaction (engine.md 13.5): whichever
statement or commit was the last that got out, answered or not, every step that is told done has its
rows and no other step has any. The same handler without `atomic` fails this test.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, islice, product
from typing import NamedTuple

import pytest
from django.utils import timezone

from orchestration.client import create_task
from orchestration.lifecycle import due_work
from orchestration.messaging import pgmq
from orchestration.messaging.messages import worker_queue
from orchestration.models import Task, WorkflowStep
from orchestration.testing import linear
from templates_registry import registry
from tests.crashing import Crashes, ask
from tests.factories import ticks
from tests.handlers import business
from tests.processes import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]
NEVER = 1000
"""A thing that no turn comes to send."""


class Break(NamedTuple):
    """At which thing that is sent, how, and whether before its answer."""

    after: int
    how: str
    in_flight: bool


@pytest.fixture
def rows():
    with business.business_rows():
        yield


def register(callable_name: str) -> None:
    handler = {
        "handler": {"callable": callable_name},
        "retry": {"max_attempts": 100, "backoff": "none"},
    }
    steps = {f"step_{number}": handler for number in (1, 2, 3)}
    registry.register(linear(3, name="business", steps=steps))


def a_step_waits() -> None:
    """Make a task when no step is in the queue."""
    if not pgmq.metrics(worker_queue("test")).depth:
        create_task("business", namespace="test")


def recover() -> None:
    """Do what orchestrators do afterwards; the lease of a dead worker is over at once."""
    running = WorkflowStep.objects.filter(state="in_progress")
    running.update(lease_until=timezone.now() - timedelta(seconds=1))

    def is_taken_back() -> bool:  # not at once on a server that has just started
        due_work.reap_lost_claims(move=ticks.MOVE)
        return not running.exists()

    wait_until(is_taken_back, within=30)
    ticks.process()
    due_work.start_due_retries(move=ticks.MOVE)


def turn(crashes: Crashes, at: Break) -> str:
    a_step_waits()
    return crashes.do("handler", after=at.after, how=at.how, in_flight=at.in_flight)


def things_sent(crashes: Crashes) -> int:
    """Return how many statements and commits a turn of handler and report sends."""
    for after in range(1, NEVER):
        said = turn(crashes, Break(after, "kill", in_flight=False))
        recover()
        if said == "done":
            return after - 1
    raise AssertionError("the turn never ends")


def everywhere(last: int) -> Iterator[Break]:
    return cycle(
        Break(after, how, in_flight)
        for after, how, in_flight in product(range(1, last + 1), ("kill", "cut"), (False, True))
    )


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(32, marks=pytest.mark.timeout(180)),
        pytest.param(1000, marks=[pytest.mark.benchmark, pytest.mark.timeout(1800)]),
    ],
)
def test_rows_are_there_for_completed_steps_alone_wherever_the_report_breaks(
    rows, crashes: Crashes, rounds: int
):
    register("business.write")
    last = things_sent(crashes)
    assert last >= 6  # both rows, the savepoint, the report, the commit

    ended = []
    for at in islice(everywhere(last), rounds):
        ended.append(turn(crashes, at))
        assert business.differences() == [], at
        recover()
        assert business.differences() == [], at

    while Task.objects.exclude(state="complete").exists():
        assert turn(crashes, Break(NEVER, "kill", in_flight=False)) == "done"
        recover()
    assert business.differences() == []
    completed = WorkflowStep.objects.filter(state="complete").count()
    assert ask("SELECT count(*) FROM business_rows") == [(business.ROWS_OF_A_STEP * completed,)]
    broken = sum(said != "done" for said in ended)
    assert broken == rounds
    print(f"{rounds} rounds, {last} places, {completed} steps completed, no difference")  # noqa: T201


def test_rows_outlive_a_broken_report_when_the_handler_is_not_atomic(rows, crashes: Crashes):
    register("business.write_apart")

    last = things_sent(crashes)

    assert last >= 4
    assert business.differences() != []
