"""What a check finds: a status and a sentence."""

from collections.abc import Callable
from typing import NamedTuple

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"


class Verdict(NamedTuple):
    """What a check found."""

    status: str
    message: str


Check = Callable[[], Verdict]


def worst(statuses: set[str]) -> str:
    """Return the worst of some statuses, healthy if there is none."""
    return next((each for each in (UNHEALTHY, DEGRADED) if each in statuses), HEALTHY)


def graded(value: float, message: str, *, degraded: float, unhealthy: float) -> Verdict:
    """Return a verdict by two bounds, each of which is the first value that is worse."""
    if value >= unhealthy:
        return Verdict(UNHEALTHY, message)
    return Verdict(DEGRADED if value >= degraded else HEALTHY, message)
