"""What people do to tasks and steps: one function each, for API, admin and command line alike.

Every action holds the task, acts, and evaluates it, in one transaction; who did it and why goes
into every history row. A refused action changes nothing and says in which state the object is
(engine.md 9). A running handler is never killed: its claim is fenced, its result is dropped.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from orchestration import metrics
from orchestration.errors import (
    ActionRefusedError,
    DuplicateDlqEntryError,
    InvalidOutcomeError,
    InvalidRequestError,
    NotFoundError,
    Problem,
)
from orchestration.fsm import Stateful, TransitionNotAllowed
from orchestration.lifecycle import outcome_processor
from orchestration.lifecycle.task_finalizer import Cause, Question, evaluate, log_answers
from orchestration.models import DlqResolution, Task, WorkflowStep
from orchestration.queries import dlq, steps, tasks
from orchestration.queries.operator_records import record_action
from orchestration.queries.tasks import Move
from orchestration.queries.template_names import template_name
from orchestration.queries.transactions import atomically
from orchestration.runtime.task_ends import count_end
from orchestration.states import TERMINAL_STEP_STATES, TERMINAL_TASK_STATES, StepState, TaskState

log = logging.getLogger(__name__)

ENDS = frozenset({"task.cancelled", "task.resolved", "task.failed"})
CLOSED_TASK_STATES = TERMINAL_TASK_STATES - {TaskState.ERROR}


class Acted(NamedTuple):
    """The task after an operator's action."""

    task_uuid: UUID
    state: str


# ------------------------------------------------------------ tasks


def cancel_task(task_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Call a task off: its unfinished steps, failed ones too, and then the task."""

    def work() -> _Done:
        task = _hold_task(task_uuid)
        _perform("cancel", task, task.cancel)
        unfinished = set(StepState) - TERMINAL_STEP_STATES
        _move_steps(task, unfinished, to=StepState.CANCELLED, move=Move(actor, reason=reason))
        task.record(actor=actor, reason=reason)
        return _Done(task, task.state)

    return _act("task.cancelled", work, actor=actor, reason=reason)


def resolve_task(task_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Close a task by hand: unfinished steps are cancelled, failed ones stay as record."""

    def work() -> _Done:
        task = _hold_task(task_uuid)
        is_blocked = task.state == TaskState.BLOCKED_BY_FAILURES
        _perform("resolve", task, task.manual_resolution if is_blocked else task.resolve_manually)
        unfinished = set(StepState) - TERMINAL_STEP_STATES - {StepState.ERROR}
        _move_steps(task, unfinished, to=StepState.CANCELLED, move=Move(actor, reason=reason))
        task.record(actor=actor, reason=reason)
        return _Done(task, task.state)

    return _act("task.resolved", work, actor=actor, reason=reason)


def give_up_task(task_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Give a blocked task up: it ends in error until somebody resets it."""

    def work() -> _Done:
        task = _hold_task(task_uuid)
        _perform("give up", task, task.give_up)
        task.record(actor=actor, reason=reason)
        return _Done(task, task.state)

    return _act("task.failed", work, actor=actor, reason=reason)


def reset_task(task_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Revive a task in error: its failed steps run again with all their attempts."""

    def work() -> _Done:
        task = _hold_task(task_uuid)
        _perform("reset", task, task.reset)
        task.record(actor=actor, reason=reason)
        _move_steps(
            task,
            {StepState.ERROR},
            to=StepState.PENDING,
            move=Move(actor, reason=reason, event="reset_for_retry"),
        )
        return _evaluated(task)

    return _act("task.reset", work, actor=actor, reason=reason)


def retry_failed_steps(task_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Let every failed step of a task run again; finished work is kept."""

    def work() -> _Done:
        task = _hold_task(task_uuid)
        _refuse_if_closed("retry failed steps of", task)
        failed = _steps_in(task, {StepState.ERROR})
        if not failed:
            raise ActionRefusedError(
                f"Cannot retry failed steps of task {task_uuid}: none of its steps is in error"
            )
        _revive(task, actor=actor, reason=reason)
        _move(
            failed, to=StepState.PENDING, move=Move(actor, reason=reason, event="reset_for_retry")
        )
        return _evaluated(task)

    return _act("step.reset", work, actor=actor, reason=reason)


def move_to_dlq(task_uuid: UUID, *, actor: str, reason: str = "") -> UUID:
    """Open an investigation about a task and return the entry's uuid; the task itself stays."""

    def work() -> UUID:
        _hold_task(task_uuid)
        entry = dlq.create_entry(
            task_uuid, reason="manual_dlq", metadata={"actor": actor, "notes": reason}
        )
        if entry is None:
            raise DuplicateDlqEntryError(
                f"Cannot open a DLQ entry for task {task_uuid}: it has a pending one"
            )
        opened = (None, DlqResolution.PENDING.value)
        record_action(entry, "dlq.created", actor=actor, reason=reason, change=opened)
        return entry

    entry = atomically(work)
    metrics.DLQ_ENTRIES_CREATED.add(reason="manual_dlq")
    log.error("dlq.entry_created", extra={"task_uuid": task_uuid, "actor": actor})
    return entry


# ------------------------------------------------------------ steps


def reset_step(step_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Let a failed step run again with all its attempts; its checkpoint is kept."""

    def work() -> _Done:
        task, step = _hold_step(step_uuid, "reset")
        _perform("reset", step, step.reset_for_retry)
        _revive(task, actor=actor, reason=reason)
        step.record("attempts", "backoff_request_seconds", actor=actor, reason=reason)
        return _evaluated(task)

    return _act("step.reset", work, actor=actor, reason=reason)


def resolve_step(step_uuid: UUID, *, actor: str, reason: str = "") -> Acted:
    """Treat a step as done: its results stay as they are, its children may run."""

    def work() -> _Done:
        task, step = _hold_step(step_uuid, "resolve")
        _perform("resolve", step, step.resolve_manually)
        _revive(task, actor=actor, reason=reason)
        steps.delete_messages([step_uuid])
        step.record(actor=actor, reason=reason)
        if outcome_processor.is_gate(step.step_type):
            outcome_processor.process_none(step_uuid)
        return _evaluated(task)

    return _act("step.resolved", work, actor=actor, reason=reason)


def complete_step(
    step_uuid: UUID,
    *,
    result: Any,
    actor: str,
    reason: str = "",
    metadata: dict[str, Any] | None = None,
) -> Acted:
    """Finish a step with a result supplied by hand; its children see that result.

    Of a decision or batchable step the result holds the outcome. Raises `InvalidRequestError` for
    one that cannot be carried out.
    """

    def work() -> _Done:
        task, step = _hold_step(step_uuid, "complete")
        _perform("complete", step, step.complete_manually)
        step.results = _manual_result(step_uuid, result, metadata)
        with (
            transaction.atomic()
        ):  # a refused outcome leaves nothing, in a caller's transaction too
            _revive(task, actor=actor, reason=reason)
            steps.delete_messages([step_uuid])
            step.record("results", actor=actor, reason=reason)
            if outcome_processor.is_gate(step.step_type):
                _carry_out(step, result)
        return _evaluated(task)

    return _act("step.completed_manually", work, actor=actor, reason=reason)


def _carry_out(step: WorkflowStep, result: Any) -> None:
    """Create what a result supplied by hand asks for."""
    try:
        outcome_processor.process_supplied(step.pk, result)
    except InvalidOutcomeError as error:
        text = f"{error.code}: {error.message}"
        raise InvalidRequestError(
            f"Cannot complete step '{step.name}': {text}",
            problems=[Problem("completion_data.result", text)],
        ) from error


def _manual_result(step_uuid: UUID, result: Any, metadata: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "step_uuid": str(step_uuid),
        "success": True,
        "status": "completed",
        "result": result,
        "metadata": metadata or {},
        "error": None,
    }


# ------------------------------------------------------------ the common parts


class _Done(NamedTuple):
    """The held task after an action, and the state in which it was left."""

    task: Task
    state: str


def _act(event: str, work: Callable[[], _Done], *, actor: str, reason: str) -> Acted:
    """Run an action in one transaction; count and log it after the commit."""
    task, state = atomically(work)
    if event in ENDS:
        count_end(state, **template_name(task.named_task_id)._asdict(), created_at=task.created_at)
    log.info(
        event,
        extra={
            "correlation_id": str(task.correlation_id),
            "task_uuid": task.task_uuid,
            "namespace": template_name(task.named_task_id).namespace,
            "actor": actor,
            "reason": reason,
            "state": state,
        },
    )
    return Acted(task.task_uuid, state)


def _hold_task(task_uuid: UUID) -> Task:
    """Lock a task; never plain FOR UPDATE, which deadlocks with a worker's audit row."""
    held = Task.objects.select_for_update(no_key=True).defer("context", "options")
    try:
        return held.get(pk=task_uuid)
    except Task.DoesNotExist as error:
        raise NotFoundError(f"There is no task {task_uuid}") from error


def _hold_step(step_uuid: UUID, verb: str) -> tuple[Task, WorkflowStep]:
    """Lock a step's task, then the step; refuse when the task is closed."""
    task_uuid = steps.task_of_step(step_uuid)
    if task_uuid is None:
        raise NotFoundError(f"There is no step {step_uuid}")
    task = _hold_task(task_uuid)
    step = WorkflowStep.objects.select_for_update(no_key=True).get(pk=step_uuid)
    _refuse_if_closed(f"{verb} step '{step.name}' of", task)
    return task, step


def _refuse_if_closed(what: str, task: Task) -> None:
    if task.state in CLOSED_TASK_STATES:
        raise ActionRefusedError(f"Cannot {what} task {task.task_uuid}: its state is {task.state}")


def _perform(verb: str, subject: Task | WorkflowStep, move: Callable[[], Any]) -> None:
    """Call a transition method; turn a refusal into the error that every door understands."""
    try:
        move()
    except TransitionNotAllowed as error:
        allowed = ", ".join(sorted(_sources(subject, move.__name__)))
        raise ActionRefusedError(
            f"Cannot {verb} {_title(subject)}: state is {subject.state}, allowed: {allowed}"
        ) from error


def _title(subject: Task | WorkflowStep) -> str:
    if isinstance(subject, WorkflowStep):
        return f"step '{subject.name}'"
    return f"task {subject.task_uuid}"


def _sources(subject: Stateful, event: str) -> set[str]:
    return {source for source, _, name in subject.moves() if name == event}


def _revive(task: Task, *, actor: str, reason: str) -> None:
    """Take a task in error back to pending before one of its steps is acted upon."""
    if task.state == TaskState.ERROR:
        task.reset()
        task.record(actor=actor, reason=reason)


def _steps_in(task: Task, states: Iterable[StepState]) -> list[UUID]:
    """Lock the task's steps and return those in the given states."""
    wanted = set(states)
    return [s.workflow_step_uuid for s in steps.lock_steps(task.task_uuid) if s.state in wanted]


def _move_steps(task: Task, states: Iterable[StepState], *, to: StepState, move: Move) -> None:
    _move(_steps_in(task, states), to=to, move=move)


def _move(step_uuids: list[UUID], *, to: StepState, move: Move) -> None:
    """Move locked steps as a set, taking their messages off the queues."""
    if step_uuids:
        tasks.announce(move)
        steps.delete_messages(step_uuids)
        steps.operate(step_uuids, state=to.value)


def _evaluated(task: Task) -> _Done:
    """Ask what comes next for the held task."""
    answers = evaluate([Question(task.task_uuid, task.state, Cause.OPERATOR)])
    log_answers(answers)
    return _Done(task, answers[0].state)
