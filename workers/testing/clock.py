"""The clock of one run: real time until something must be waited for, then it jumps and stands."""

from datetime import datetime, timedelta

from orchestration.queries.inline import read_clock, set_clock
from orchestration.queries.recovery import engine_now

A_MOMENT = timedelta(milliseconds=1)


class VirtualClock:
    """What `tasker_now()` answers on this session while a run lasts."""

    def __init__(self) -> None:
        self.skipped_seconds = 0.0
        self._before: str | None = None

    def jump_to(self, moment: datetime) -> None:
        """Go to a moment, unless it is past."""
        ahead = (moment - engine_now()).total_seconds()
        if ahead <= 0:
            return
        if self._before is None:
            self._before = read_clock()
        self.skipped_seconds += ahead
        set_clock(moment.isoformat())

    def jump_past(self, seconds: float) -> None:
        """Go so far ahead that something which ends in so many seconds is over."""
        self.jump_to(engine_now() + timedelta(seconds=seconds) + A_MOMENT)

    def restore(self) -> None:
        """Put the clock back to what it was before the run."""
        if self._before is not None:
            set_clock(self._before)
