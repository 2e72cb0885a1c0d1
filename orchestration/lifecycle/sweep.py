"""What lost its message or was left by hand goes on: the slow, thorough look.

Nothing of this is needed while only Tasker touches its tables and queues; it repairs what a purge
of a queue, a restored backup or a hand-written UPDATE left behind (engine.md 6.7).
"""

import logging

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.lifecycle.due_work import TASKS_PER_ROUND, evaluate_free
from orchestration.lifecycle.task_finalizer import Cause, log_answers
from orchestration.queries import readiness, recovery, tasks
from orchestration.queries.recovery import RepairedStep
from orchestration.queries.tasks import Move
from orchestration.queries.transactions import atomically

log = logging.getLogger(__name__)

STUCK_MINUTES = 1
SILENT_HEARTBEATS = 10
SILENT_LEASES = 2  # by then whatever such a process had claimed was taken back
UNSTICKABLE = frozenset({"transient_state", "nothing_in_flight"})


def repair_lost_messages(*, move: Move) -> int:
    """Send step and result messages again that have been missing for too long."""

    def work() -> list[RepairedStep]:
        tasks.announce(move)
        return recovery.repair_messages(
            stranded_seconds=engine_settings().stranded_seconds, limit=TASKS_PER_ROUND
        )

    repaired = atomically(work)
    for step in repaired:
        log.warning(
            "task.recovered",
            extra={
                "task_uuid": step.task_uuid,
                "step_uuid": step.workflow_step_uuid,
                "kind": "missing_message",
            },
        )
    metrics.RECOVERY_ACTIONS.add(len(repaired), kind="missing_message")
    return len(repaired)


def reevaluate_stuck_tasks(*, move: Move) -> int:
    """Evaluate tasks that rest in a hop state or claim to be busy without a step in flight."""
    stuck = [
        task.task_uuid
        for task in readiness.stuck_tasks(minutes=STUCK_MINUTES)
        if task.reason in UNSTICKABLE
    ]
    if not stuck:
        return 0
    answers = atomically(lambda: evaluate_free(stuck, cause=Cause.TIMER, move=move))
    log_answers(answers)
    metrics.RECOVERY_ACTIONS.add(len(answers), kind="stranded_task")
    return len(answers)


def mark_silent_processes() -> int:
    """Mark processes as lost that were killed without a liveness lock that would tell."""
    settings = engine_settings()
    silent_seconds = max(
        SILENT_HEARTBEATS * settings.heartbeat_seconds, SILENT_LEASES * settings.lease_seconds
    )
    marked = recovery.mark_silent_processes(silent_seconds=silent_seconds)
    if marked:
        metrics.RECOVERY_ACTIONS.add(marked, kind="lost_worker")
        log.warning("process.silent", extra={"processes": marked, "seconds": silent_seconds})
    return marked


def forget_old_processes() -> int:
    """Delete the rows of processes that ended a week ago."""
    return recovery.forget_old_processes()
