"""What comes next for a task: `evaluate` is the only code that decides a task's next state.

Whoever changed a step of a task (result, timer, operator, creation) holds the task's row and calls
`evaluate`. It asks for the execution context of all tasks in one statement, picks a goal for each,
enqueues what is ready, and writes every hop of every task in one UPDATE (engine.md 7.3).
"""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from orchestration.conf import engine_settings
from orchestration.lifecycle.counting import count_evaluation
from orchestration.lifecycle.step_enqueuer import enqueue_ready_steps
from orchestration.queries import readiness, tasks
from orchestration.queries.readiness import TaskContext
from orchestration.queries.tasks import TaskMove
from orchestration.queries.template_names import template_name
from orchestration.runtime.task_ends import note_end
from orchestration.states import TERMINAL_TASK_STATES, TaskState

log = logging.getLogger(__name__)
S = TaskState


class Cause(StrEnum):
    """Why a task is evaluated."""

    CREATION = "creation"
    SUCCESS = "success"
    """Results were handled and at least one was a success."""
    FAILURE = "failure"
    """Results were handled and all were failures."""
    TIMER = "timer"
    OPERATOR = "operator"


class Goal(StrEnum):
    """What the steps of a task call for; the first that applies."""

    ENQUEUE = "enqueue"
    IN_FLIGHT = "in_flight"
    RETRY = "retry"
    BLOCKED = "blocked"
    FINISHED = "finished"
    IDLE = "idle"


class Question(NamedTuple):
    """A locked task about which a decision is due."""

    task_uuid: UUID
    state: str
    cause: Cause


class Completed(NamedTuple):
    """A locked task of which nothing but these steps has changed: they have become complete."""

    question: Question
    step_uuids: list[UUID]
    named_task_uuid: UUID
    correlation_id: UUID
    created_at: datetime


class Answer(NamedTuple):
    """The state in which a task was left, and whether it was moved there now."""

    task_uuid: UUID
    state: str
    goal: Goal
    moved: bool
    named_task_uuid: UUID
    correlation_id: UUID
    created_at: datetime

    @property
    def log_fields(self) -> dict[str, Any]:
        """What a log line about the task says."""
        return {
            "correlation_id": str(self.correlation_id),
            "task_uuid": str(self.task_uuid),
            "namespace": template_name(self.named_task_uuid).namespace,
        }


def evaluate(questions: Sequence[Question], *, known: Iterable[TaskContext] = ()) -> list[Answer]:
    """Decide and write the next state of locked tasks; terminal ones are left alone.

    Joins the caller's transaction. Two to three statements, however many tasks. `known`: contexts
    that need not be asked for, because the caller has just written the steps.
    """
    open_ones = [q for q in questions if q.state not in TERMINAL_TASK_STATES]
    if not open_ones:
        return []
    began = time.perf_counter()
    contexts = {context.task_uuid: context for context in known}
    unknown = [q.task_uuid for q in open_ones if q.task_uuid not in contexts]
    if unknown:
        contexts |= {context.task_uuid: context for context in readiness.task_contexts(unknown)}
    goals = {q.task_uuid: goal_of(contexts[q.task_uuid]) for q in open_ones}
    goals |= _enqueue([contexts[uuid] for uuid, goal in goals.items() if goal is Goal.ENQUEUE])
    paths = {q.task_uuid: path_to(goals[q.task_uuid], q.state, q.cause) for q in open_ones}
    moves = [TaskMove(uuid, path[:-1], path[-1]) for uuid, path in paths.items() if path]
    if moves:
        tasks.move_tasks(moves)
    answers = [
        _answer(q, contexts[q.task_uuid], goals[q.task_uuid], paths[q.task_uuid]) for q in open_ones
    ]
    count_evaluation(answers, seconds=time.perf_counter() - began)
    return answers


def go_on(completed: Sequence[Completed]) -> list[Answer]:
    """Let tasks in `steps_in_process` go on, looking at what follows completed steps alone.

    Answers for those of which something was enqueued; what is next for the others `evaluate` has
    to say. Readiness is worked out for a few steps; `evaluate` does that for all that are left.
    """
    if not completed:
        return []
    began = time.perf_counter()
    enqueued = enqueue_ready_steps(
        {each.question.task_uuid: each.correlation_id for each in completed},
        limit=engine_settings().max_steps_in_flight_per_task,
        done=[step for each in completed for step in each.step_uuids],
    )
    served = {step.task_uuid for step in enqueued}
    if not served:
        return []
    moving = [each for each in completed if each.question.task_uuid in served]
    path = path_to(Goal.ENQUEUE, S.STEPS_IN_PROCESS, Cause.SUCCESS)
    tasks.move_tasks([TaskMove(each.question.task_uuid, path[:-1], path[-1]) for each in moving])
    answers = [_answer(each.question, each, Goal.ENQUEUE, path) for each in moving]
    count_evaluation(answers, seconds=time.perf_counter() - began)
    return answers


def _enqueue(ready: Sequence[TaskContext]) -> dict[UUID, Goal]:
    """Enqueue what is ready; return the goal of the tasks that have no room for another step.

    Such a task has steps in flight, and the end of each evaluates it again: nothing is stranded.
    """
    if not ready:
        return {}
    limit = engine_settings().max_steps_in_flight_per_task
    correlations = {context.task_uuid: context.correlation_id for context in ready}
    if all(_in_flight(context) + context.ready_steps <= limit for context in ready):
        enqueue_ready_steps(correlations)
        return {}
    served = {step.task_uuid for step in enqueue_ready_steps(correlations, limit=limit)}
    return dict.fromkeys(correlations.keys() - served, Goal.IN_FLIGHT)


def _in_flight(context: TaskContext) -> int:
    return context.in_progress_steps + context.enqueued_steps


def goal_of(context: TaskContext) -> Goal:
    """Return what a task's steps call for."""
    if context.ready_steps:
        return Goal.ENQUEUE
    if _in_flight(context):
        return Goal.IN_FLIGHT
    if context.waiting_for_retry_steps:
        return Goal.RETRY
    if context.blocked_steps:
        return Goal.BLOCKED
    if context.execution_status == "all_complete" or not context.total_steps:
        return Goal.FINISHED
    return Goal.IDLE


# The hops after the deciding state. From `initializing` some goals have no direct edge.
_FROM_EVALUATING: dict[Goal, tuple[str, ...]] = {
    Goal.ENQUEUE: (S.ENQUEUING_STEPS, S.STEPS_IN_PROCESS),
    Goal.IN_FLIGHT: (S.STEPS_IN_PROCESS,),
    Goal.RETRY: (S.WAITING_FOR_RETRY,),
    Goal.BLOCKED: (S.BLOCKED_BY_FAILURES,),
    Goal.FINISHED: (S.COMPLETE,),
    Goal.IDLE: (S.WAITING_FOR_DEPENDENCIES,),
}
_TO_EVALUATING = (S.WAITING_FOR_DEPENDENCIES, f"{S.EVALUATING_RESULTS}:dependencies_ready")
_FROM_INITIALIZING: dict[Goal, tuple[str, ...]] = {
    Goal.ENQUEUE: _FROM_EVALUATING[Goal.ENQUEUE],
    Goal.IN_FLIGHT: _TO_EVALUATING + _FROM_EVALUATING[Goal.IN_FLIGHT],
    Goal.RETRY: _TO_EVALUATING + _FROM_EVALUATING[Goal.RETRY],
    Goal.BLOCKED: _TO_EVALUATING + _FROM_EVALUATING[Goal.BLOCKED],
    Goal.FINISHED: _FROM_EVALUATING[Goal.FINISHED],
    Goal.IDLE: _FROM_EVALUATING[Goal.IDLE],
}
_RESULT_EVENTS = {Cause.SUCCESS: "step_completed", Cause.FAILURE: "step_failed"}


def path_to(goal: Goal, state: str, cause: Cause) -> tuple[str, ...]:
    """Return the hops that lead a task from its state to its goal; empty for "no noise".

    Each hop is "state" or "state:event". A cause that is not a result, enqueues nothing and would
    end where the task is now writes nothing.
    """
    path = _enter(goal, state, cause)
    if cause not in _RESULT_EVENTS and goal is not Goal.ENQUEUE and path[-1] == state:
        return ()
    return path


def _enter(goal: Goal, state: str, cause: Cause) -> tuple[str, ...]:
    """Return the whole path, by the state the task is in (engine.md 7.3, first table)."""
    operator = cause is Cause.OPERATOR
    if state == S.PENDING:
        return (S.INITIALIZING, *_FROM_INITIALIZING[goal])
    if state == S.INITIALIZING:
        return _FROM_INITIALIZING[goal]
    if state == S.EVALUATING_RESULTS:
        return _FROM_EVALUATING[goal]
    if state == S.WAITING_FOR_RETRY and goal is Goal.ENQUEUE and not operator:
        return (f"{S.ENQUEUING_STEPS}:retry_ready", S.STEPS_IN_PROCESS)
    if state == S.STEPS_IN_PROCESS:
        event = _RESULT_EVENTS.get(cause, "reevaluate")
    elif state in (S.WAITING_FOR_DEPENDENCIES, S.WAITING_FOR_RETRY) and not operator:
        event = "dependencies_ready"
    else:
        event = "reevaluate"
    before = (S.STEPS_IN_PROCESS,) if state == S.ENQUEUING_STEPS else ()
    return (*before, f"{S.EVALUATING_RESULTS}:{event}", *_FROM_EVALUATING[goal])


def _answer(
    question: Question, context: TaskContext | Completed, goal: Goal, path: tuple[str, ...]
) -> Answer:
    return Answer(
        question.task_uuid,
        str(path[-1] if path else question.state),
        goal,
        moved=bool(path),
        named_task_uuid=context.named_task_uuid,
        correlation_id=context.correlation_id,
        created_at=context.created_at,
    )


def log_answers(answers: Sequence[Answer]) -> None:
    """Count and log what became of tasks; call it after the commit."""
    for answer in answers:
        if answer.moved:
            note_end(
                answer.state,
                **template_name(answer.named_task_uuid)._asdict(),
                created_at=answer.created_at,
                log_fields=answer.log_fields,
            )
