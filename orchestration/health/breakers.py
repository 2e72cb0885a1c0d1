"""The check of the circuit breakers of a process."""

from collections.abc import Sequence

from orchestration.health.verdict import DEGRADED, HEALTHY, UNHEALTHY, Verdict
from orchestration.runtime.breaker import State, breaker

STATUSES = {State.CLOSED: HEALTHY, State.HALF_OPEN: DEGRADED, State.OPEN: UNHEALTHY}


def check_breakers(names: Sequence[str]) -> Verdict:
    """All circuit breakers are closed."""
    states = {name: breaker(name).state for name in names}
    found = max(states.values(), default=State.CLOSED)
    if found is State.CLOSED:
        return Verdict(HEALTHY, "all are closed")
    named = ", ".join(f"{name} is {state.word}" for name, state in states.items() if state)
    return Verdict(STATUSES[found], named)
