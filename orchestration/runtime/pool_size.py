"""How many executors a pool has: the rule by which that changes, and the measurement it goes by.

The same for the threads of an orchestrator's pool and for the handler slots of a worker. Nothing
here starts or ends a thread; whoever owns the threads follows `size`.

Why utilisation is an integral: busy executors and executors are both summed over time, so a size
that changes in the middle of a window, or one batch longer than the window, is measured rightly.
"""

import logging
import math
import threading
import time
from collections.abc import Callable

from orchestration import metrics
from orchestration.conf import PoolSettings, pool_settings

log = logging.getLogger(__name__)

GROWTH_MARGIN, SHRINK_MARGIN, LARGEST_GROWTH = 1.2, 0.5, 2.0
ROUNDING = 1e-9  # 1.2 * 0.75 is 0.9, whatever the last bit says

GUARDED_SHARE = 0.85
"""Share of the connection pool in use above which no pool of executors grows."""
STRAINED_SHARE, LEAST_FACTOR = 0.7, 0.1


def next_size(size: int, *, minimum: int, maximum: int, utilization: float, target: float) -> int:
    """Return the size a pool should have after a window of this utilisation."""
    if utilization > GROWTH_MARGIN * target + ROUNDING and size < maximum:
        growth = min(utilization / target, LARGEST_GROWTH)
        return min(maximum, math.ceil(size * growth - ROUNDING))
    if utilization < SHRINK_MARGIN * target - ROUNDING and size > minimum:
        return size - max(1, (size - minimum) // 2)
    return size


def relief_factor(database_share: float) -> float:
    """Return what part of a full batch to take while so much of the connection pool is in use."""
    if database_share <= STRAINED_SHARE:
        return 1.0
    return max(LEAST_FACTOR, 1 - database_share)


class PoolSize:
    """The size of one pool between its bounds, and how busy it is."""

    def __init__(
        self,
        name: str,
        *,
        minimum: int,
        maximum: int,
        database_share: Callable[[], float],
        settings: PoolSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin at the minimum; `database_share` tells how much of the connections is in use."""
        self.name = name
        self.minimum = min(minimum, maximum)
        self.maximum = maximum
        self.size = self.minimum
        self.busy = 0
        self.utilization = 0.0
        self.database_share = database_share
        self._settings = settings or pool_settings()
        self._clock = clock
        self._lock = threading.Lock()
        self._measured_at = clock()
        self._busy_seconds = 0.0
        self._offered_seconds = 0.0
        self._rests_until = float("-inf")

    def enter(self) -> None:
        """Note that one more executor is busy."""
        with self._lock:
            self._measure()
            self.busy += 1

    def leave(self) -> None:
        """Note that an executor is no longer busy."""
        with self._lock:
            self._measure()
            self.busy -= 1

    def review(self) -> int:
        """Close the window, scale by the rule unless the pool rests, and return the size."""
        with self._lock:
            self.utilization = self._close_window()
            if self._clock() < self._rests_until:
                return self.size
            wanted = next_size(
                self.size,
                minimum=self.minimum,
                maximum=self.maximum,
                utilization=self.utilization,
                target=self._settings.pool_target_utilization,
            )
            self._resize(wanted, utilization=self.utilization)
            return self.size

    def double(self) -> int:
        """Grow at once, without waiting for the end of a window; return the size."""
        with self._lock:
            if self.size < self.maximum:
                self._measure()
                self._resize(min(2 * self.size, self.maximum), utilization=self._share())
            return self.size

    def describe(self) -> dict[str, float]:
        """Return what health and the process row show."""
        return {
            "min": self.minimum,
            "max": self.maximum,
            "size": self.size,
            "busy": self.busy,
            "utilization": round(self.utilization, 3),
        }

    def _resize(self, wanted: int, *, utilization: float) -> None:
        """Take the size, unless it asks for connections that are not there."""
        if wanted == self.size:
            return
        if wanted > self.size and self.database_share() > GUARDED_SHARE:
            return
        settings = self._settings
        rest = (
            settings.pool_up_cooldown_seconds
            if wanted > self.size
            else settings.pool_down_cooldown_seconds
        )
        direction = "up" if wanted > self.size else "down"
        metrics.POOL_SCALE_EVENTS.add(pool=self.name, direction=direction)
        log.info(
            "pool.scaled",
            extra={
                "pool": self.name,
                "size_before": self.size,
                "size": wanted,
                "utilization": round(utilization, 3),
            },
        )
        self._measure()
        self.size = wanted
        self._rests_until = self._clock() + rest

    def _measure(self) -> None:
        now = self._clock()
        elapsed = now - self._measured_at
        self._measured_at = now
        self._busy_seconds += self.busy * elapsed
        self._offered_seconds += self.size * elapsed

    def _close_window(self) -> float:
        self._measure()
        share = self._share()
        self._busy_seconds = self._offered_seconds = 0.0
        return share

    def _share(self) -> float:
        return self._busy_seconds / self._offered_seconds if self._offered_seconds else 0.0
