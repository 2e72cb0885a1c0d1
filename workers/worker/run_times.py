"""How long the handlers of this worker take, and when the last one ended."""

import threading
import time
from datetime import datetime, timedelta

from django.utils import timezone


class RunTimes:
    """Sums of everything that has ended since the start; any thread may add."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.last_end = float("-inf")
        self._count = 0
        self._seconds = 0.0
        self._lock = threading.Lock()

    def note(self, started_at: float | None) -> None:
        """Add one run that ends now; one that never began only counts as an end."""
        now = time.monotonic()
        with self._lock:
            self.last_end = now
            if started_at is not None:
                self._count += 1
                self._seconds += now - started_at

    @property
    def average_ms(self) -> float | None:
        """What a run took on average, None before the first."""
        with self._lock:
            return round(self._seconds / self._count * 1000, 2) if self._count else None

    @property
    def last_end_at(self) -> datetime | None:
        """When the last run ended, None before the first."""
        if self.last_end == float("-inf"):
            return None
        return timezone.now() - timedelta(seconds=time.monotonic() - self.last_end)
