"""Whether this process can do its job: named checks, their results, and what is known about it.

A check is a function that returns a `Verdict` or raises; which of them a process has, and which it
needs to be ready, is decided where the process is put together. The web process has none of that
and gets `web_health()`. Nothing here shows an address, a user or a path. The table of all checks is
api-and-operations 5.2.
"""

from orchestration.health.breakers import check_breakers
from orchestration.health.database import (
    PoolCheck,
    PoolUse,
    check_database,
    check_schema,
    missing_schema,
    pool_use,
)
from orchestration.health.engine import engine_checks, fresh_seconds
from orchestration.health.installed import current, install, web_health
from orchestration.health.process_health import CheckResult, Health
from orchestration.health.verdict import DEGRADED, HEALTHY, UNHEALTHY, Check, Verdict

__all__ = [
    "DEGRADED",
    "HEALTHY",
    "UNHEALTHY",
    "Check",
    "CheckResult",
    "Health",
    "PoolCheck",
    "PoolUse",
    "Verdict",
    "check_breakers",
    "check_database",
    "check_schema",
    "current",
    "engine_checks",
    "fresh_seconds",
    "install",
    "missing_schema",
    "pool_use",
    "web_health",
]
