"""Tasks that wait are let in, best effective priority first.

Two kinds wait: new tasks whose namespace was backlogged, and tasks without anything to do until a
step of theirs became ready. Age raises priority and never excludes (engine.md 5.4, 6.7). When the
look itself fails repeatedly, the circuit breaker `task_readiness` lets it pause; results go on.
"""

from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.lifecycle.counting import age_bucket
from orchestration.lifecycle.task_finalizer import Answer, Cause, Question, evaluate, log_answers
from orchestration.queries import readiness, tasks
from orchestration.queries.tasks import Move
from orchestration.queries.transactions import atomically
from orchestration.runtime.breaker import TASK_READINESS, breaker
from orchestration.runtime.failures import is_statement_failing


class Admission(NamedTuple):
    """What one round did: tasks let in, and whether some namespace has no room."""

    admitted: int
    holds_back: bool


def admit_waiting_tasks(*, limit: int, move: Move) -> Admission:
    """Start up to `limit` waiting tasks of namespaces that have room.

    Raises `CircuitOpenError` while the breaker `task_readiness` is open.
    """
    settings = engine_settings()
    closed: list[str] = []
    priorities: dict[UUID, float] = {}

    def work() -> list[Answer]:
        with breaker(TASK_READINESS).guard(is_statement_failing):
            closed[:] = tasks.closed_namespaces(high_water=settings.high_water_messages)
            ready = readiness.next_ready_tasks(limit=limit, closed_namespaces=closed)
        if not ready:
            return []
        priorities.update({task.task_uuid: float(task.computed_priority) for task in ready})
        tasks.announce(move)
        return evaluate(
            [Question(task.task_uuid, task.current_state, Cause.TIMER) for task in ready]
        )

    answers = atomically(work)
    metrics.DISCOVERY_SATURATION.set(len(answers) / limit)
    for answer in answers:
        _count(answer, priorities[answer.task_uuid])
    log_answers(answers)
    return Admission(sum(answer.moved for answer in answers), bool(closed))


def _count(answer: Answer, priority: float) -> None:
    seconds = max(0.0, (timezone.now() - answer.created_at).total_seconds())
    metrics.TASK_AGE_AT_DISCOVERY.observe(seconds)
    metrics.TASK_COMPUTED_PRIORITY.observe(priority, age_bucket=age_bucket(seconds))
