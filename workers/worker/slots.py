"""Who holds a slot of this worker, and which claims need their lease prolonged.

A slot is held from the claim until the handler's thread is free again, also by a handler past its
timeout. A claim is held until its report is accepted or refused. Normally a slot is free before the
report is stored, so that claiming, running and reporting overlap; while reports fail, what waits to
be reported keeps its slot.

Why no lock: a set or dict is changed by one bytecode each time, and reading them a moment late only
leaves a slot unused for that moment. Claims are added by whoever holds the claimer's lock.
"""

import time
from collections.abc import Collection
from uuid import UUID

from orchestration.runtime.pool_size import PoolSize
from workers.executor import Execution
from workers.worker.run_times import RunTimes


class Slots:
    """The bounded set of executions of one worker."""

    def __init__(self, pool_size: PoolSize) -> None:
        """Provide as many slots as the pool has, all free; their number may change later."""
        self.pool_size = pool_size
        self.are_reports_failing = False
        self.run_times = RunTimes()
        self._busy_since = 0.0
        self._running: set[Execution] = set()
        self._held: dict[UUID, Execution] = {}

    @property
    def size(self) -> int:
        """How many slots there are now."""
        return self.pool_size.size

    @property
    def maximum(self) -> int:
        """How many slots there may be."""
        return self.pool_size.maximum

    @property
    def can_grow(self) -> bool:
        """More work could be taken by more slots; not while its results cannot be stored."""
        return self.size < self.maximum and not self.are_reports_failing

    @property
    def free(self) -> int:
        """How many claims may be taken now."""
        return self.free_beside(())

    def free_beside(self, ended: Collection[Execution]) -> int:
        """Return how many claims may be taken once these are over, whose handlers have returned."""
        held = len(self._held) - len(ended)
        taken = len(self._running - {each for each in ended if not each.is_overdue})
        if self.are_reports_failing:
            taken = max(taken, held)
        return max(0, min(self.size - taken, 2 * self.size - held))

    @property
    def running(self) -> int:
        """How many slots are taken by threads."""
        return len(self._running)

    @property
    def overdue(self) -> int:
        """How many are taken by handlers that were reported as timed out."""
        return sum(execution.is_overdue for execution in list(self._running))

    @property
    def seconds_without_end(self) -> float:
        """For how long something has been running without anything having ended; 0 while idle."""
        if not self._running:
            return 0.0
        return time.monotonic() - max(self._busy_since, self.run_times.last_end)

    def has_begun_since(self, moment: float) -> bool:
        """Say whether a handler is running, or about to, that began after a `time.monotonic()`."""
        return any(
            each.is_running and (each.started_at is None or each.started_at > moment)
            for each in list(self._running)
        )

    @property
    def is_idle(self) -> bool:
        """Nothing runs and nothing waits to be reported."""
        return not self._held and self.running == self.overdue

    def take(self, execution: Execution) -> None:
        """Give a slot to a new claim; an older claim of the same step is lost by that."""
        step_uuid = execution.claim.workflow_step_uuid
        if older := self._held.get(step_uuid):
            older.cancel()
        self._held[step_uuid] = execution
        if not self._running:
            self._busy_since = time.monotonic()
        self._running.add(execution)
        self.pool_size.enter()

    def free_slot(self, execution: Execution) -> None:
        """Note that the execution's thread is free again."""
        if execution in self._running:
            self._running.discard(execution)
            self.pool_size.leave()
            self.run_times.note(execution.started_at)

    def settle(self, execution: Execution) -> None:
        """Note that the claim is over: reported, released or lost."""
        step_uuid = execution.claim.workflow_step_uuid
        if self._held.get(step_uuid) is execution:
            del self._held[step_uuid]

    def is_held(self, execution: Execution) -> bool:
        """Say whether the claim still is this worker's, as far as it knows."""
        return self._held.get(execution.claim.workflow_step_uuid) is execution

    def held(self) -> list[Execution]:
        """Return the executions whose claims are not over."""
        return list(self._held.values())
