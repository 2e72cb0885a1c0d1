"""Which function of the lifecycle runs on which loop of an orchestrator. No rule of the domain.

Any number of orchestrators run side by side without a leader: messages are taken with SKIP LOCKED,
tasks are held by row locks, and every function may run twice.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestration import health
from orchestration.conf import EngineSettings, PoolSettings, retention_settings, staleness_settings
from orchestration.lifecycle import (
    discovery,
    due_work,
    request_processor,
    result_processor,
    retention,
    staleness,
    sweep,
)
from orchestration.messaging.messages import DUE_WORK_CHANNEL, ORCHESTRATION_CHANNEL
from orchestration.queries import recovery
from orchestration.queries.tasks import Move
from orchestration.runtime import database
from orchestration.runtime.executor_pool import ExecutorPool
from orchestration.runtime.identity import ProcessIdentity
from orchestration.runtime.loop import Loop
from orchestration.runtime.pool_size import PoolSize
from templates_registry.conf import Range

# Bounds of the pause between two rounds of the due-work loop (engine.md 6.7). In PollingOnly a
# retry that another process scheduled is seen a second later at most.
LEAST_PAUSE_SECONDS = 0.05
POLLING_PAUSE_SECONDS = 1.0
IDLE_LOOK_SECONDS = 2.0
"""Least pause between two looks for lost workers while no step is claimed or due."""
QUIET_SECONDS = 10.0
"""Longest pause of discovery and of looks for lost workers, where nothing happened for as long."""
DISCOVERY_SECONDS = 5.0
BACKLOGGED_DISCOVERY_SECONDS = 1.0
DISCOVERY_PAUSES_AT = 0.9
"""Share of the connection pool in use above which no waiting task is let in."""


@dataclass
class DueWork:
    """The timer: due retries each round, lost claims twice in `liveness_check_seconds`.

    Twice, because a lock counts as free after it has been so for `liveness_check_seconds`, and
    until that was seen once nothing has begun to count. While no step is claimed or due it looks
    every two seconds, and after ten of those as seldom as queues are polled: a worker that begins
    to claim says so (`workers.worker.claiming`).

    Whoever lost the database judges nobody for as long again, a heartbeat at most, and a bit:
    workers that lost it at the same time need that long to take their liveness lock again and to
    prolong their leases. Meanwhile it goes on noting whose lock is free. One that starts has lost
    nothing and judges at once; that the server itself started a moment ago is seen by the statement
    that judges.
    """

    move: Move
    settings: EngineSettings
    poll_seconds: Callable[[], float]
    next_look: float = 0.0
    judges_from: float = 0.0
    answered_at: float = -math.inf
    due_in_seconds: float | None = None
    _disturbances_seen: tuple[int, ...] | None = None
    _rests_until: float = 0.0
    _stirred_at: float = -math.inf

    def run_once(self) -> int:
        """Start what is due; take back what was lost; return how much."""
        self._note_disturbances()
        began = time.monotonic()
        was_quiet = self.due_in_seconds is None
        if began >= self.next_look:
            done = self._look(judges=began >= self.judges_from)
        else:
            done, self.due_in_seconds = 0, recovery.seconds_until_due()
        if self.due_in_seconds is not None and self.due_in_seconds <= 0:
            done += due_work.start_due_retries(move=self.move)
        if self.due_in_seconds is not None or began < self._rests_until:  # something is, or woke us
            self._stirred_at = began
            if was_quiet:
                self.next_look = min(self.next_look, began + self._look_pause)
        self.answered_at = time.monotonic()
        return done

    def idle_seconds(self) -> float:
        """Return the pause until the next due time or the next look for lost workers."""
        now = time.monotonic()
        longest = self.next_look - now
        if self.settings.mode == "PollingOnly":
            longest = min(longest, POLLING_PAUSE_SECONDS)
        if self.due_in_seconds is not None:
            longest = min(longest, self.due_in_seconds)
        pause = max(longest, LEAST_PAUSE_SECONDS)
        self._rests_until = now + pause
        return pause

    def _look(self, *, judges: bool) -> int:
        done, self.due_in_seconds = due_work.look_for_lost_claims(move=self.move, judges=judges)
        # From the end of the look: one that comes a whole check later then finds a lock that
        # has been free for all of it, and need not wait for the next.
        self.next_look = time.monotonic() + self._look_pause
        if not judges:
            self.next_look = min(self.next_look, self.judges_from)
        return done

    def _note_disturbances(self) -> None:
        """Put off the judgement when any part of this process lost the database since last time."""
        seen = database.disturbances()
        if self._disturbances_seen not in (None, seen):
            now = time.monotonic()
            grace = due_work.judging_grace_seconds(
                self.settings, outage_seconds=now - self.answered_at
            )
            self.judges_from = max(self.judges_from, now + grace)
        self._disturbances_seen = seen

    @property
    def _look_pause(self) -> float:
        if not (check := self.settings.liveness_check_seconds):
            return self.settings.lease_seconds / 2
        if self.due_in_seconds is not None:
            return check / 2
        idle = max(check, IDLE_LOOK_SECONDS)
        if time.monotonic() < self._stirred_at + QUIET_SECONDS:
            return idle
        return min(max(idle, self.poll_seconds()), QUIET_SECONDS)


@dataclass
class Discovery:
    """Lets waiting tasks in; looks more often while a namespace has no room."""

    move: Move
    poll_seconds: Callable[[], float]
    holds_back: bool = False

    def do_batch(self, limit: int) -> int:
        """Let up to `limit` tasks in and return how many."""
        if _database_share() >= DISCOVERY_PAUSES_AT:
            self.holds_back = True
            return 0
        admission = discovery.admit_waiting_tasks(limit=limit, move=self.move)
        self.holds_back = admission.holds_back
        return admission.admitted

    def idle_seconds(self) -> float:
        """Return the pause until the next look."""
        if self.holds_back:
            return BACKLOGGED_DISCOVERY_SECONDS
        return min(max(DISCOVERY_SECONDS, self.poll_seconds()), QUIET_SECONDS)


def build_parts(
    process: ProcessIdentity,
    *,
    settings: EngineSettings,
    bounds: PoolSettings,
    poll_seconds: Callable[[], float],
) -> list[Loop | ExecutorPool]:
    """Return the pools and the single loops of an orchestrator, in the order of their start."""
    move = Move(f"system:{process.uuid}", processor_uuid=process.uuid)
    due = DueWork(move, settings, poll_seconds)
    pools = _build_pools(move, settings=settings, bounds=bounds, poll_seconds=poll_seconds)
    return [
        *pools,
        Loop(
            "due_work",
            due.run_once,
            idle_seconds=due.idle_seconds,
            wake_on=[DUE_WORK_CHANNEL],
        ),
        Loop("sweep", _sweep(move), idle_seconds=settings.sweep_seconds),
        Loop("scaling", _scale(pools), idle_seconds=bounds.pool_scale_seconds),
        *_staleness(move),
        *_purge(),
    ]


def _build_pools(
    move: Move,
    *,
    settings: EngineSettings,
    bounds: PoolSettings,
    poll_seconds: Callable[[], float],
) -> list[ExecutorPool]:
    waiting = Discovery(move, poll_seconds)
    return [
        ExecutorPool(
            _size("results", bounds.pool_results),
            lambda limit: result_processor.process_results(limit=limit, move=move),
            batch_count=settings.result_batch_count,
            idle_seconds=poll_seconds,
            wake_on=[ORCHESTRATION_CHANNEL],
        ),
        ExecutorPool(
            _size("requests", bounds.pool_requests),
            lambda limit: request_processor.process_requests(limit=limit, actor=move.actor),
            batch_count=settings.request_batch_count,
            idle_seconds=poll_seconds,
            wake_on=[ORCHESTRATION_CHANNEL],
        ),
        ExecutorPool(
            _size("discovery", bounds.pool_discovery),
            waiting.do_batch,
            batch_count=settings.ready_batch_count,
            idle_seconds=waiting.idle_seconds,
            wake_on=[DUE_WORK_CHANNEL],
        ),
    ]


def _size(name: str, bounds: Range) -> PoolSize:
    return PoolSize(
        name,
        minimum=bounds.minimum,
        maximum=bounds.maximum,
        database_share=_database_share,
    )


def _database_share() -> float:
    return health.pool_use().share


def _scale(pools: Sequence[ExecutorPool]) -> Callable[[], int]:
    def run_once() -> int:
        for pool in pools:
            pool.scale()
        return 0

    return run_once


def _staleness(move: Move) -> list[Loop]:
    limits = staleness_settings()
    if not limits.staleness_enabled:
        return []
    detector = staleness.Detector(move, limits)
    return [Loop("staleness", detector.run_once, idle_seconds=detector.idle_seconds)]


def _purge() -> list[Loop]:
    limits = retention_settings()
    if not limits.purge_interval_hours:
        return []
    automatic = retention.AutomaticPurge(limits)
    return [Loop("purge", automatic.run_once, idle_seconds=automatic.idle_seconds)]


def _sweep(move: Move) -> Callable[[], int]:
    def run_once() -> int:
        sweep.repair_lost_messages(move=move)
        sweep.reevaluate_stuck_tasks(move=move)
        sweep.mark_silent_processes()
        sweep.forget_old_processes()
        return 0  # always rest: what one round repaired needs no second look at once

    return run_once
