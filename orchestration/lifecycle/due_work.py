"""Timers: retries that are due start, steps of lost workers are taken back.

Any number of orchestrators run this at once; each takes the tasks that nobody holds and re-checks
under the lock (engine.md 6.7, 13.6).
"""

import logging
import math
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from orchestration import metrics
from orchestration.conf import EngineSettings, engine_settings
from orchestration.lifecycle.task_finalizer import Answer, Cause, Question, evaluate, log_answers
from orchestration.queries import recovery, tasks
from orchestration.queries.recovery import ReapedStep
from orchestration.queries.tasks import Move
from orchestration.queries.transactions import atomically
from orchestration.runtime import database

log = logging.getLogger(__name__)

TASKS_PER_ROUND = 200


def start_due_retries(*, move: Move) -> int:
    """Evaluate the tasks whose retries are due; return how many were started."""

    def work() -> list[Answer]:
        due = recovery.tasks_with_due_retries(limit=TASKS_PER_ROUND)
        return evaluate_free(due, cause=Cause.TIMER, move=move) if due else []

    answers = atomically(work)
    log_answers(answers)
    return sum(answer.moved for answer in answers)


def judging_grace_seconds(settings: EngineSettings, *, outage_seconds: float = math.inf) -> float:
    """Return how long nobody is judged after an outage: workers need that long to come back.

    The pauses of a worker that asks for its database double from SECOND_PAUSE_SECONDS on, so none
    is longer than the outage has lasted and that; nor than half a heartbeat. Then it has to connect
    and to prolong its leases.
    """
    return min(outage_seconds, settings.heartbeat_seconds) + database.SECOND_PAUSE_SECONDS


class Look(NamedTuple):
    """Steps taken back, and the time until the next retry or lease end; None: none is to come."""

    taken_back: int
    due_in_seconds: float | None


def look_for_lost_claims(*, move: Move, task_uuid: UUID | None = None, judges: bool = True) -> Look:
    """Take steps back whose lease ended or whose worker is gone; say when something is due next.

    One that does not judge only notes whose liveness lock is free, for whoever judges next. With
    `task_uuid`, of this task alone: somebody runs it by hand, and nobody is given any grace.
    """
    settings = engine_settings()

    def work() -> tuple[list[ReapedStep], list[Answer], float | None]:
        tasks.announce(move)
        reaped = recovery.reap_leases(
            limit=TASKS_PER_ROUND if judges else 0,
            lock_seconds=settings.liveness_check_seconds or None,  # 0 = locks are not looked at
            grace_seconds=0 if task_uuid else judging_grace_seconds(settings),
            task_uuid=task_uuid,
        )
        failed = {step.task_uuid for step in reaped if step.outcome == "failed"}
        held = tasks.lock_tasks(sorted(failed)) if failed else []
        answers = evaluate([Question(t.task_uuid, t.state, Cause.FAILURE) for t in held])
        return reaped, answers, recovery.seconds_until_due()

    reaped, answers, due_in_seconds = atomically(work)
    for step in reaped:
        log.warning(
            "lease.expired",
            extra={
                "task_uuid": step.task_uuid,
                "step_uuid": step.workflow_step_uuid,
                "outcome": step.outcome,
            },
        )
    metrics.RECOVERY_ACTIONS.add(len(reaped), kind="expired_lease")
    log_answers(answers)
    return Look(len(reaped), due_in_seconds)


def reap_lost_claims(*, move: Move, task_uuid: UUID | None = None) -> int:
    """Look for lost claims and judge; return how many were taken back."""
    return look_for_lost_claims(move=move, task_uuid=task_uuid).taken_back


def evaluate_free(task_uuids: Iterable[UUID], *, cause: Cause, move: Move) -> list[Answer]:
    """Evaluate those of the tasks that nobody holds; joins the caller's transaction."""
    tasks.announce(move)
    held = tasks.lock_tasks(sorted(task_uuids), skip_locked=True)
    return evaluate([Question(task.task_uuid, task.state, cause) for task in held])
