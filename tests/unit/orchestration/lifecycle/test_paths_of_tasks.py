"""The next state of a task: the two tables of engine.md 7.3, and the goals before them."""

from decimal import Decimal
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from orchestration.fsm import graph
from orchestration.lifecycle.task_finalizer import Cause, Goal, goal_of, path_to
from orchestration.models import Task
from orchestration.queries.readiness import TaskContext
from tests.factories.histories import LETTERS, USUAL_TASK_EVENTS
from tests.factories.next_states import CAUSES, GOALS, OPEN_STATES, expected

MOVES = {(start, end) for start, end, _ in graph(Task)}
EVENTS = {(start, end, event) for start, end, event in graph(Task)}
ALL = list(product(GOALS, OPEN_STATES, CAUSES))


def written(path: tuple[str, ...], start: str) -> str:
    """Return a path in the notation of the histories."""
    hops, before = [], start
    for hop in path:
        state, _, event = hop.partition(":")
        letter = LETTERS[state]
        is_usual = not event or (before, letter) in USUAL_TASK_EVENTS.get(event, ())
        hops.append(letter if is_usual else f"{letter}:{event}")
        before = letter
    return " ".join(hops)


@pytest.mark.parametrize(("goal", "letter", "cause"), ALL)
def test_path_is_that_of_the_table(goal, letter, cause):
    path = path_to(Goal(goal), OPEN_STATES[letter], Cause(cause))

    assert written(path, letter) == expected(goal, letter, cause)


@pytest.mark.parametrize(("goal", "letter", "cause"), ALL)
def test_every_hop_of_a_path_is_a_declared_move(goal, letter, cause):
    before = OPEN_STATES[letter]
    for hop in path_to(Goal(goal), before, Cause(cause)):
        state, _, event = hop.partition(":")
        assert (before, state) in MOVES
        assert not event or (before, state, event) in EVENTS
        before = state


def context(**changes):
    nothing: dict[str, Any] = dict.fromkeys(TaskContext._fields, 0)
    known: dict[str, Any] = {
        "task_uuid": uuid4(),
        "named_task_uuid": uuid4(),
        "status": "steps_in_process",
        "total_steps": 5,
        "execution_status": "waiting_for_dependencies",
        "recommended_action": "",
        "completion_percentage": Decimal(0),
        "health_status": "healthy",
    }
    return TaskContext(**nothing | known | changes)


@pytest.mark.parametrize(
    ("counts", "goal"),
    [
        (
            {
                "ready_steps": 1,
                "in_progress_steps": 1,
                "waiting_for_retry_steps": 1,
                "blocked_steps": 1,
            },
            Goal.ENQUEUE,
        ),
        (
            {"in_progress_steps": 1, "waiting_for_retry_steps": 1, "blocked_steps": 1},
            Goal.IN_FLIGHT,
        ),
        (
            {"enqueued_steps": 1, "waiting_for_retry_steps": 1, "blocked_steps": 1},
            Goal.IN_FLIGHT,
        ),
        ({"waiting_for_retry_steps": 1, "blocked_steps": 1}, Goal.RETRY),
        ({"blocked_steps": 1, "completed_steps": 4}, Goal.BLOCKED),
        ({"execution_status": "all_complete", "completed_steps": 5}, Goal.FINISHED),
        ({"total_steps": 0}, Goal.FINISHED),
        ({"pending_steps": 5}, Goal.IDLE),
    ],
)
def test_goal_is_the_first_that_applies(counts, goal):
    assert goal_of(context(**counts)) is goal
