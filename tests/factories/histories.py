"""Histories as one line of text, so that a test shows the whole life of a task or step.

Tasks are written with the letters of engine.md 14, steps with their states. A hop whose event is
not the usual one of its pair shows the event too: `E:step_failed`.
"""

from uuid import UUID

from orchestration.models import StepTransition, TaskTransition, WorkflowStep
from orchestration.models.transition import Transition

LETTERS = {
    "pending": "P",
    "initializing": "I",
    "enqueuing_steps": "Q",
    "steps_in_process": "S",
    "evaluating_results": "E",
    "waiting_for_dependencies": "D",
    "waiting_for_retry": "R",
    "blocked_by_failures": "B",
    "complete": "C",
    "error": "X",
    "cancelled": "cancelled",
    "resolved_manually": "resolved",
}
SHORT = {
    "enqueued_for_orchestration": "efo",
    "enqueued_as_error_for_orchestration": "eaefo",
}
# The event that a hop carries when nothing is said about it (engine.md 3.2 and 3.4).
USUAL_TASK_EVENTS = {
    "start": {("P", "I")},
    "ready_steps_found": {("I", "Q"), ("E", "Q")},
    "no_steps_found": {("I", "C")},
    "no_dependencies_ready": {("I", "D"), ("E", "D")},
    "steps_enqueued": {("Q", "S")},
    "step_completed": {("S", "E")},
    "all_steps_successful": {("E", "C")},
    "steps_in_flight": {("E", "S")},
    "retry_scheduled": {("E", "R")},
    "permanent_failure": {("E", "B")},
    "retry_ready": {("R", "Q")},
    "reset": {("X", "P")},
    "give_up": {("B", "X")},
}
USUAL_STEP_EVENTS = {
    "enqueue": {("pending", "enqueued")},
    "start": {("enqueued", "in_progress")},
    "enqueue_for_orchestration": {("in_progress", "efo")},
    "enqueue_as_error_for_orchestration": {("in_progress", "eaefo")},
    "complete": {("efo", "complete")},
    "wait_for_retry": {("eaefo", "waiting_for_retry")},
    "fail": {("eaefo", "error")},
    "retry": {("waiting_for_retry", "pending")},
}
LINEAR_4 = "P I Q S E Q S E Q S E Q S E C"
RAN_ONCE = "pending enqueued in_progress efo complete"
RAN_TWICE = (
    "pending enqueued in_progress eaefo waiting_for_retry pending enqueued in_progress efo complete"
)


def task_history(task_uuid: UUID, *, after: int = 0) -> str:
    """Return the hops of a task; `after` leaves out that many of the first."""
    rows = TaskTransition.objects.filter(task_id=task_uuid, sort_key__gt=after)
    return _text(list(rows.order_by("sort_key")), LETTERS, USUAL_TASK_EVENTS)


def step_history(step_uuid: UUID, *, after: int = 0) -> str:
    """Return the hops of a step."""
    rows = StepTransition.objects.filter(workflow_step_id=step_uuid, sort_key__gt=after)
    return _text(list(rows.order_by("sort_key")), SHORT, USUAL_STEP_EVENTS)


def step_histories(task_uuid: UUID) -> dict[str, str]:
    """Return the history of every step of a task by its name."""
    steps = WorkflowStep.objects.filter(task_id=task_uuid).values_list("name", "pk")
    return {name: step_history(uuid) for name, uuid in steps}


def states(task_uuid: UUID) -> dict[str, str]:
    """Return the state of every step of a task by its name."""
    return dict(WorkflowStep.objects.filter(task_id=task_uuid).values_list("name", "state"))


def _text(
    rows: list[Transition], names: dict[str, str], usual: dict[str, set[tuple[str, str]]]
) -> str:
    return " ".join(_hop(row, names, usual) for row in rows)


def _hop(row: Transition, names: dict[str, str], usual: dict[str, set[tuple[str, str]]]) -> str:
    to = names.get(row.to_state, row.to_state)
    if row.from_state is None:
        return to if row.event == "created" else f"{to}:{row.event}"
    pair = (names.get(row.from_state, row.from_state), to)
    return to if pair in usual.get(row.event, ()) else f"{to}:{row.event}"
