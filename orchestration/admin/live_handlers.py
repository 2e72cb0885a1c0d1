"""What the live workers can run, as this deployment's heartbeats tell."""

from orchestration.health import fresh_seconds
from orchestration.queries import live_handlers
from orchestration.queries.live_handlers import FRESH_STATES, Service, missing_callables

__all__ = ["FRESH_STATES", "Service", "fresh_seconds", "live_services", "missing_callables"]


def live_services() -> list[Service]:
    """Return what each live worker serves, in one query."""
    return live_handlers.live_services(within_seconds=fresh_seconds())
