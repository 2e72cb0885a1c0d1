"""Workers' reports become step outcomes, and their tasks go on: one transaction per batch.

The messages are taken off the queue, their tasks locked, each step decided, all steps moved by one
statement, all tasks evaluated together (engine.md 7.2). The outcome of a decision or batchable step
becomes steps in the same transaction. After a crash or rollback the messages are
visible at once for any other orchestrator, and the same message twice finds its step moved on.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db import Error as DatabaseError
from django.utils import timezone
from pydantic_core import from_json

from orchestration import metrics
from orchestration.conf import EngineSettings, engine_settings
from orchestration.lifecycle import backoff, outcome_processor
from orchestration.lifecycle.backoff import Policy
from orchestration.lifecycle.outcome_processor import Spoken
from orchestration.lifecycle.task_finalizer import (
    Answer,
    Cause,
    Completed,
    Question,
    evaluate,
    go_on,
    log_answers,
)
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.queries import results
from orchestration.queries.results import Reported, Settlement
from orchestration.queries.tasks import Move
from orchestration.queries.transactions import atomically
from orchestration.runtime.database import CONNECTION_ERRORS
from orchestration.runtime.queue_use import note_received
from orchestration.states import StepState, TaskState

log = logging.getLogger(__name__)

UNUSABLE = frozenset({"malformed", "unknown_task"})
LONGEST_PAUSE_SECONDS = 60
LARGE_TASK_STEPS = 200
"""In a larger task successes are followed by looks at the next steps alone, not at all of them."""


class UnusableMessageError(Exception):
    """A batch holds a message that no transaction can use."""


class Batch(NamedTuple):
    """What one transaction did: the messages it took, what it decided, what became of the tasks."""

    taken: list[Reported]
    spoken: list[Spoken]
    settled: list[tuple[Reported, Settlement]]
    answers: list[Answer]
    seconds: float


def process_results(*, limit: int, move: Move) -> int:
    """Process up to `limit` waiting reports and return how many messages were dealt with.

    A batch that fails is rolled back and its messages are handled one transaction each, so one bad
    message cannot hold up the others.
    """
    try:
        batch = atomically(lambda: _process(limit=limit, move=move))
    except CONNECTION_ERRORS:
        raise
    except (UnusableMessageError, DatabaseError, ValueError) as error:
        log.warning("results.batch_failed", extra={"error": str(error)})
        return _process_one_by_one(limit=limit, move=move)
    _log(batch)
    return len(batch.taken)


def process_task(task_uuid: UUID, *, move: Move) -> Batch:
    """Process all waiting reports about one task in one transaction.

    For a caller that runs a task by hand: what is wrong with a message, or with what is made of it,
    is raised and not set aside.
    """
    batch = atomically(lambda: _process(task_uuid=task_uuid, move=move))
    _log(batch)
    return batch


def _process(
    *,
    move: Move,
    limit: int = 1,
    msg_ids: Sequence[int] | None = None,
    task_uuid: UUID | None = None,
) -> Batch:
    began = time.perf_counter()
    taken = results.take_results(
        limit=limit, move=move, msg_ids=msg_ids, task_uuid=task_uuid, large=LARGE_TASK_STEPS
    )
    unusable = {row.standing for row in taken} & UNUSABLE
    if unusable:
        raise UnusableMessageError(", ".join(sorted(unusable)))
    live = [row for row in taken if row.standing == "live"]
    spoken = outcome_processor.process_reported(
        [row.workflow_step_uuid for row in live if _has_outcome(row)]
    )
    settings = engine_settings()
    settled = [(row, _settle(row, spoken) or decide(row, settings=settings)) for row in live]
    if settled:
        results.settle_steps([settlement for _, settlement in settled])
    questions = _questions(settled)
    answers = go_on(_completed(questions, settled, spoken))
    gone_on = {answer.task_uuid for answer in answers}
    answers += evaluate([each for each in questions if each.task_uuid not in gone_on])
    seconds = time.perf_counter() - began
    return Batch(taken, list(spoken.values()), settled, answers, seconds)


def _has_outcome(row: Reported) -> bool:
    """Tell whether a success says which steps follow from it."""
    is_success = row.step_state == StepState.ENQUEUED_FOR_ORCHESTRATION and row.succeeded
    return is_success and outcome_processor.is_gate(row.step_type)


def _settle(row: Reported, spoken: Mapping[UUID, Spoken]) -> Settlement | None:
    """Return the end of a step whose outcome was refused, None for any other."""
    said = spoken.get(row.workflow_step_uuid)
    if said is None or said.error is None:
        return None
    return Settlement(row.workflow_step_uuid, StepState.ERROR.value, failure=said.failed_results)


def decide(row: Reported, *, settings: EngineSettings) -> Settlement:
    """Return what a reported step becomes (engine.md 7.2, line 5, and 8.1).

    A failure runs again only if the handler, the step and its counters all allow it.
    """
    if row.step_state == StepState.ENQUEUED_FOR_ORCHESTRATION:
        state = StepState.COMPLETE if row.succeeded else StepState.ERROR
        return Settlement(row.workflow_step_uuid, state.value)
    if not (row.wants_retry and row.retryable and row.attempts < row.max_attempts):
        return Settlement(row.workflow_step_uuid, StepState.ERROR.value)
    delay = backoff.delay_seconds(
        row.attempts,
        Policy(row.backoff_strategy, row.backoff_base_ms, row.max_backoff_ms),
        requested=_requested_delay(row),
        settings=settings,
    )
    return Settlement(row.workflow_step_uuid, StepState.WAITING_FOR_RETRY.value, delay)


def _requested_delay(row: Reported) -> float | None:
    if row.orchestration_metadata is None:
        return None
    return backoff.requested_delay(from_json(row.orchestration_metadata), now=timezone.now())


def _questions(settled: Sequence[tuple[Reported, Settlement]]) -> list[Question]:
    """Return one question per task; one completed step among its results makes it a success."""
    states: dict[UUID, str] = {}
    succeeded: dict[UUID, bool] = defaultdict(bool)
    for row, settlement in settled:
        states[row.task_uuid] = row.task_state
        succeeded[row.task_uuid] |= settlement.state == StepState.COMPLETE
    return [
        Question(task_uuid, state, Cause.SUCCESS if succeeded[task_uuid] else Cause.FAILURE)
        for task_uuid, state in states.items()
    ]


def _completed(
    questions: Iterable[Question],
    settled: Sequence[tuple[Reported, Settlement]],
    spoken: Mapping[UUID, Spoken],
) -> list[Completed]:
    """Return the large tasks of which nothing happened but that steps have become complete."""
    rows: dict[UUID, list[Reported]] = defaultdict(list)
    others: set[UUID] = set()
    for row, settlement in settled:
        rows[row.task_uuid].append(row)
        is_plain = settlement.state == StepState.COMPLETE and row.workflow_step_uuid not in spoken
        if not (is_plain and row.is_large and row.task_state == TaskState.STEPS_IN_PROCESS):
            others.add(row.task_uuid)
    return [
        Completed(
            question,
            [row.workflow_step_uuid for row in of_task],
            of_task[0].named_task_uuid,
            of_task[0].correlation_id,
            of_task[0].task_created_at,
        )
        for question in questions
        if question.task_uuid not in others and (of_task := rows[question.task_uuid])
    ]


def _process_one_by_one(*, limit: int, move: Move) -> int:
    """Handle waiting messages one transaction each; the reads are counted and committed first."""
    messages = pgmq.read(
        RESULTS_QUEUE, limit=limit, visibility_seconds=engine_settings().lease_seconds
    )
    for message in messages:
        try:
            batch = atomically(partial(_process, limit=1, move=move, msg_ids=[message.msg_id]))
        except UnusableMessageError as error:
            _bury(message.msg_id, why=str(error))
        except (DatabaseError, ValueError) as error:
            _postpone(message, error)
        else:
            _log(batch)
    return len(messages)


def _postpone(message: pgmq.Message, error: Exception) -> None:
    """Let a failing message rest, longer each time; set it aside after too many reads."""
    log.error(
        "message.failed",
        extra={"queue": RESULTS_QUEUE, "msg_id": message.msg_id, "error": str(error)},
    )
    if message.read_ct >= engine_settings().poison_read_count:
        _bury(message.msg_id, why=f"failed {message.read_ct} times: {error}")
    else:
        pause = min(2**message.read_ct, LONGEST_PAUSE_SECONDS)
        pgmq.set_visibility(RESULTS_QUEUE, msg_id=message.msg_id, seconds=pause)


def _bury(msg_id: int, *, why: str) -> None:
    atomically(lambda: pgmq.bury(RESULTS_QUEUE, msg_id=msg_id, why=why))
    metrics.MESSAGES_ARCHIVED.add(queue=RESULTS_QUEUE, reason="poison")
    log.error("message.poison", extra={"queue": RESULTS_QUEUE, "msg_id": msg_id, "why": why})


def _count(batch: Batch) -> None:
    """Count what became of reports, and each one's share of the time it took."""
    waits = [reported.waited_ms for reported in batch.taken]
    note_received(RESULTS_QUEUE, len(batch.taken), waited_ms=waits)
    share_ms = batch.seconds * 1000 / max(1, len(batch.taken))
    for _, settlement in batch.settled:
        kind = "success" if settlement.state == StepState.COMPLETE else "error"
        metrics.RESULTS_PROCESSED.add(result_type=kind)
        metrics.RESULT_PROCESSING.observe(share_ms, result_type=kind)
    if late := len(batch.taken) - len(batch.settled):
        metrics.RESULTS_PROCESSED.add(late, result_type="stale")


_EVENTS = {
    StepState.COMPLETE.value: ("step.completed", logging.INFO),
    StepState.WAITING_FOR_RETRY.value: ("step.retry_scheduled", logging.INFO),
    StepState.ERROR.value: ("step.failed", logging.ERROR),
}


def _log(batch: Batch) -> None:
    """Count and log what a committed batch did."""
    _count(batch)
    correlations = {each.task_uuid: str(each.correlation_id) for each in batch.answers}
    outcome_processor.log_spoken(batch.spoken, correlations)
    for row, settlement in batch.settled:
        event, level = _EVENTS[settlement.state]
        if log.isEnabledFor(level):
            log.log(
                level,
                event,
                extra={
                    "correlation_id": correlations.get(row.task_uuid),
                    "task_uuid": row.task_uuid,
                    "step_uuid": row.workflow_step_uuid,
                    "namespace": row.namespace,
                    "step": row.step_name,
                    "attempt": row.attempts,
                    "delay_seconds": settlement.delay_seconds,
                },
            )
    log_answers(batch.answers)
