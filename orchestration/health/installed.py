"""The health of this process, where its probes find it; one that says nothing is a web process."""

from functools import partial

from orchestration.health.breakers import check_breakers
from orchestration.health.database import PoolCheck, check_database, check_schema
from orchestration.health.engine import engine_checks
from orchestration.health.looks import look_at_database, look_at_process
from orchestration.health.process_health import Health
from orchestration.runtime.breaker import MESSAGING, WEB_DATABASE

WEB_BREAKERS = (WEB_DATABASE, MESSAGING)
_current: Health | None = None


def install(health: Health) -> None:
    """Make this the health that the probes of the process show."""
    global _current
    _current = health


def current() -> Health:
    """Return the health of this process; one that installed none is a web process."""
    if _current is None:
        install(web_health())
        look_at_process("web", breakers=WEB_BREAKERS)
        look_at_database()
        return current()
    return _current


def web_health() -> Health:
    """Put together the checks of a web process."""
    return Health(
        kind="web",
        checks={
            "web_database": check_database,
            "orchestration_database": check_schema,
            "circuit_breaker": partial(check_breakers, WEB_BREAKERS),
            "pool_utilization": PoolCheck(),
            **engine_checks(),
        },
        required=frozenset({"web_database", "orchestration_database"}),
        breakers=WEB_BREAKERS,
        vital_breaker=WEB_DATABASE,
    )
