"""Tasks that stopped moving get an entry in the DLQ and end in error, as their templates want.

The last net below timers, reaper and sweep: what it finds needs a person. Any number of detectors
run at once; each task is judged again under its lock, in a transaction of its own, so a large batch
never holds many tasks (engine.md 12). All rules are in `sql/functions/tasker_measure_staleness`.
"""

import logging
import time
from dataclasses import dataclass
from uuid import UUID

from orchestration import metrics
from orchestration.conf import StalenessSettings, staleness_settings
from orchestration.queries import staleness, tasks
from orchestration.queries.staleness import Limits, SettledTask, StaleTask
from orchestration.queries.tasks import Move
from orchestration.queries.transactions import atomically
from orchestration.runtime import database
from orchestration.states import TaskState

log = logging.getLogger(__name__)

WOULD_BE_DONE = "would_transition_to_dlq_and_error"
GRACE_SECONDS = 60
LEAST_PAUSE_SECONDS = 0.05


@dataclass
class Detector:
    """Looks once per interval, but never before the engine had a minute to move tasks itself.

    Why: after an outage of the database or of all orchestrators everything has stood still for as
    long as that took. Timers and reaper set it going in seconds; who looked first would fail it.
    """

    move: Move
    settings: StalenessSettings
    next_look: float = 0.0
    _disturbances_seen: tuple[int, ...] = ()

    def run_once(self) -> int:
        """Look for stale tasks when it is time; always rest afterwards."""
        interval = self.settings.staleness_interval_seconds
        seen = database.disturbances()
        if seen != self._disturbances_seen:  # the first round counts as one
            self._disturbances_seen = seen
            grace = min(GRACE_SECONDS, interval)
            self.next_look = max(self.next_look, time.monotonic() + grace)
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + interval  # first: a failed look is not repeated
            look_for_stale_tasks(move=self.move)
        return 0

    def idle_seconds(self) -> float:
        """Return the pause until the next look."""
        return max(self.next_look - time.monotonic(), LEAST_PAUSE_SECONDS)


def look_for_stale_tasks(
    *, move: Move, limit: int | None = None, dry_run: bool | None = None
) -> list[SettledTask]:
    """Do one round; return each task with what was done, or in a dry run would be.

    What is not given comes from the settings. One transaction per task.
    """
    settings = staleness_settings()
    is_dry = settings.staleness_dry_run if dry_run is None else dry_run
    limits = limits_of(settings)
    metrics.STALENESS_RUNS.add(dry_run=str(is_dry).lower())
    began = time.perf_counter()
    found = staleness.find_stale_tasks(limits, limit=limit or settings.staleness_batch_count)
    if is_dry:
        return [_reported(task) for task in found]
    notify = settings.staleness_notify
    settled = [_settle(task.task_uuid, limits, notify=notify, move=move) for task in found]
    metrics.STALENESS_DURATION.observe((time.perf_counter() - began) * 1000)
    return [task for task in settled if task is not None]


def limits_of(settings: StalenessSettings) -> Limits:
    """Return the limits of tasks whose template names none."""
    return Limits(
        deps=settings.stale_waiting_dependencies_minutes,
        retry=settings.stale_waiting_retry_minutes,
        in_process=settings.stale_steps_in_process_minutes,
        lifetime_hours=settings.max_task_lifetime_hours,
    )


def _reported(task: StaleTask) -> SettledTask:
    """Log a task of a dry run."""
    log.info("task.stale", extra=_fields(task))
    metrics.STALENESS_DETECTED.add(state=task.current_state)
    return SettledTask(
        **task._asdict(),
        action_taken=WOULD_BE_DONE,
        moved_to_dlq=False,
        transition_success=False,
        failure=None,
    )


def _settle(task_uuid: UUID, limits: Limits, *, notify: bool, move: Move) -> SettledTask | None:
    """Act upon one task in one transaction, then count and log it."""

    def work() -> SettledTask | None:
        tasks.announce(move)
        return staleness.settle_stale_task(task_uuid, limits, notify=notify)

    settled = atomically(work)
    if settled is None:
        return None
    metrics.STALENESS_DETECTED.add(state=settled.current_state)
    if settled.moved_to_dlq:
        metrics.DLQ_ENTRIES_CREATED.add(reason=settled.reason)
        log.error("dlq.entry_created", extra=_fields(settled))
    if settled.transition_success:
        metrics.STALENESS_TRANSITIONED.add(state=settled.current_state)
        metrics.TASKS_FAILED.add(
            namespace=settled.namespace, task=settled.name, state=TaskState.ERROR
        )
        log.error("task.failed", extra=_fields(settled))
    elif settled.failure is not None:
        log.error("task.timeout_failed", extra={**_fields(settled), "error": settled.failure})
    return settled


def _fields(task: StaleTask | SettledTask) -> dict[str, object]:
    return {
        "task_uuid": task.task_uuid,
        "namespace": task.namespace,
        "reason": task.reason,
        "state": task.current_state,
        "minutes_in_state": float(task.time_in_state_minutes),
        "threshold_minutes": task.threshold_minutes,
    }
