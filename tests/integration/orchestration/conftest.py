"""A clock for what measures time on this machine, and not on the database's."""

import pytest


class Time:
    """Answers like `time.monotonic`; stands still unless the test sets `now`."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def now() -> Time:
    """Return a clock to hand in as `clock`."""
    return Time()
