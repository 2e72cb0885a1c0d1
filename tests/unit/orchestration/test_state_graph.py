"""The graph that the models declare and the graph that the database judges by are one graph.

Both directions, over every pair of states and every event; a difference prints what to change. The
functions are immutable and know no table, so the test is about text in two languages.
"""

from itertools import product

import pytest
from django.db import connections

from orchestration.fsm import graph
from orchestration.models import Task, WorkflowStep
from orchestration.states import StepState, TaskState

pytestmark = pytest.mark.django_db

# `from`: `to`: events, the first is the default (engine.md 3.2 and 3.4).
TASK_MOVES = {
    "pending": {
        "initializing": ["start"],
        "error": ["timeout"],
        "cancelled": ["cancel"],
        "resolved_manually": ["resolve_manually"],
    },
    "initializing": {
        "enqueuing_steps": ["ready_steps_found"],
        "complete": ["no_steps_found"],
        "waiting_for_dependencies": ["no_dependencies_ready"],
        "error": ["timeout"],
        "cancelled": ["cancel"],
        "resolved_manually": ["resolve_manually"],
    },
    "enqueuing_steps": {
        "steps_in_process": ["steps_enqueued"],
        "error": ["enqueue_failed", "timeout"],
        "cancelled": ["cancel"],
        "resolved_manually": ["resolve_manually"],
    },
    "steps_in_process": {
        "evaluating_results": [
            "step_completed",
            "step_failed",
            "reevaluate",
            "all_steps_completed",
        ],
        "waiting_for_retry": ["step_failed"],
        "complete": ["complete"],
        "error": ["fail", "timeout"],
        "cancelled": ["cancel"],
        "resolved_manually": ["resolve_manually"],
    },
    "evaluating_results": {
        "complete": ["all_steps_successful"],
        "enqueuing_steps": ["ready_steps_found"],
        "steps_in_process": ["steps_in_flight"],
        "waiting_for_retry": ["retry_scheduled"],
        "waiting_for_dependencies": ["no_dependencies_ready"],
        "blocked_by_failures": ["permanent_failure"],
        "error": ["timeout"],
        "cancelled": ["cancel"],
        "resolved_manually": ["resolve_manually"],
    },
    "waiting_for_dependencies": {
        "evaluating_results": ["dependencies_ready", "reevaluate"],
        "error": ["timeout"],
        "cancelled": ["cancel"],
        "resolved_manually": ["resolve_manually"],
    },
    "waiting_for_retry": {
        "enqueuing_steps": ["retry_ready"],
        "evaluating_results": ["dependencies_ready", "reevaluate"],
        "error": ["timeout"],
        "cancelled": ["cancel"],
        "resolved_manually": ["resolve_manually"],
    },
    "blocked_by_failures": {
        "evaluating_results": ["reevaluate"],
        "error": ["give_up", "timeout"],
        "resolved_manually": ["manual_resolution", "resolve_manually"],
        "cancelled": ["cancel"],
    },
    "error": {"pending": ["reset"]},
}
BY_HAND = {
    "complete": ["complete_manually"],
    "cancelled": ["cancel"],
    "resolved_manually": ["resolve_manually"],
}
COMPLETED = {**BY_HAND, "complete": ["complete", "complete_manually"]}
STEP_MOVES = {
    "pending": {
        **BY_HAND,
        "enqueued": ["enqueue"],
        "in_progress": ["start"],
        "waiting_for_retry": ["wait_for_retry"],
        "error": ["fail"],
    },
    "enqueued": {
        **BY_HAND,
        "in_progress": ["start"],
        "waiting_for_retry": ["wait_for_retry"],
        "error": ["fail"],
    },
    "in_progress": {
        **COMPLETED,
        "enqueued_for_orchestration": ["enqueue_for_orchestration"],
        "enqueued_as_error_for_orchestration": ["enqueue_as_error_for_orchestration"],
        "enqueued": ["worker_lost", "release"],
        "waiting_for_retry": ["wait_for_retry"],
        "error": ["fail", "worker_lost"],
    },
    "enqueued_for_orchestration": {**COMPLETED, "error": ["fail"]},
    "enqueued_as_error_for_orchestration": {
        **COMPLETED,
        "waiting_for_retry": ["wait_for_retry"],
        "error": ["fail"],
    },
    "waiting_for_retry": {**BY_HAND, "pending": ["retry"]},
    "error": {**BY_HAND, "pending": ["retry", "reset_for_retry"]},
    "complete": {"resolved_manually": ["resolve_manually"]},
    "cancelled": {"resolved_manually": ["resolve_manually"]},
}
MACHINES = {
    "task": (Task, TaskState, TASK_MOVES, "task_move_event", 43),
    "step": (WorkflowStep, StepState, STEP_MOVES, "step_move_event", 40),
}
machines = pytest.mark.parametrize("machine", MACHINES)


def contract(machine: str) -> set[tuple[str, str, str]]:
    moves = MACHINES[machine][2]
    return {
        (source, target, event)
        for source, targets in moves.items()
        for target, events in targets.items()
        for event in events
    }


def judged(machine: str, hints: list[str | None]) -> set[tuple[str, str, str]]:
    """Ask the database about every pair of states with every hint."""
    _, states, _, function, _ = MACHINES[machine]
    pairs = list(product(states.values, states.values, hints))
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"SELECT f, t, {function}(f, t, h) FROM unnest(%s::text[], %s::text[], %s::text[])"  # noqa: S608
            " AS pairs (f, t, h)",
            [[pair[place] for pair in pairs] for place in range(3)],
        )
        return {(f, t, event) for f, t, event in cursor.fetchall() if event is not None}


def known_events(machine: str) -> list[str]:
    return sorted({event for _, _, event in contract(machine) | graph(MACHINES[machine][0])})


@machines
def test_the_models_declare_the_moves_of_the_contract(machine):
    declared = graph(MACHINES[machine][0])

    assert declared - contract(machine) == set()
    assert contract(machine) - declared == set()


@machines
def test_the_database_accepts_the_moves_that_the_models_declare(machine):
    declared = graph(MACHINES[machine][0])

    accepted = judged(machine, [None, "no such event", *known_events(machine)])

    assert accepted - declared == set(), "the SQL function accepts more than the model"
    assert declared - accepted == set(), "the model declares more than the SQL function"


@machines
@pytest.mark.parametrize("hint", [None, "no such event", ""])
def test_the_first_event_is_the_default_of_a_pair(machine, hint):
    firsts = {
        (source, target, events[0])
        for source, targets in MACHINES[machine][2].items()
        for target, events in targets.items()
    }

    assert judged(machine, [hint]) == firsts


@machines
def test_the_number_of_legal_pairs(machine):
    pairs = {(source, target) for source, target, _ in judged(machine, [None])}

    assert len(pairs) == MACHINES[machine][4]
    assert all(source != target for source, target in pairs)


@machines
def test_every_event_names_a_documented_method_of_the_model(machine):
    model = MACHINES[machine][0]

    undocumented = [event for event in known_events(machine) if not getattr(model, event).__doc__]

    assert undocumented == []


def test_there_are_twelve_task_states_and_ten_step_states():
    assert (len(TaskState.values), len(StepState.values)) == (12, 10)


@pytest.mark.parametrize(
    ("machine", "terminal"),
    [
        ("task", {"complete", "cancelled", "resolved_manually"}),
        ("step", {"resolved_manually"}),
    ],
)
def test_nothing_leaves_a_final_state(machine, terminal):
    leaving = {source for source, _, _ in judged(machine, [None])}

    assert set(MACHINES[machine][1].values) - leaving == terminal
