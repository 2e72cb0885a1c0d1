"""Whether this process can do its job: named checks, their results, and what is known about it.

A check is a function that returns a `Verdict` or raises; which of them a process has, and which it
needs to be ready, is decided where the process is put together. The web process has none of that
and gets `web_health()`. Nothing here shows an address, a user or a path.

Why the checks run in a thread of their own: a probe must answer within its limit also while the
database hangs, and may then not queue up one connection per probe.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.runtime import database
from orchestration.runtime.identity import tasker_version
from templates_registry.conf import registry_settings

log = logging.getLogger(__name__)

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
CACHE_SECONDS = 1.0
POOL_DEGRADED_SHARE, POOL_UNHEALTHY_SHARE = 0.7, 0.9


class Verdict(NamedTuple):
    """What a check found."""

    status: str
    message: str


class CheckResult(NamedTuple):
    """A verdict and what it took to reach it."""

    status: str
    message: str
    duration_ms: float


Check = Callable[[], Verdict]


class PoolUse(NamedTuple):
    """Connections of this process: open, in use, most that may be open."""

    size: int
    in_use: int
    maximum: int

    @property
    def share(self) -> float:
        """In use, of the most there may be."""
        return self.in_use / self.maximum if self.maximum else 0.0


@dataclass
class Health:
    """All checks of one process; asked by the probes, cached for a second."""

    kind: str
    checks: Mapping[str, Check]
    required: frozenset[str]
    worker_id: str | None = None
    is_stalled: Callable[[], bool] = lambda: False
    operational_state: Callable[[], str] = lambda: "normal"
    more_info: Callable[[], Mapping[str, object]] = dict
    _started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _checked_at: float = float("-inf")
    _results: dict[str, CheckResult] = field(default_factory=dict)
    _round: "_CheckRound | None" = None

    def results(self) -> dict[str, CheckResult]:
        """Return the result of every check, at most a second old."""
        with self._lock:
            if time.monotonic() - self._checked_at >= CACHE_SECONDS:
                self._results = self._run_checks()
                self._checked_at = time.monotonic()
            return self._results

    @property
    def is_ready(self) -> bool:
        """Everything this process needs is there and nobody asked it to stop."""
        results = self.results()
        is_sound = all(results[name].status != UNHEALTHY for name in self.required)
        return is_sound and self.operational_state() == "normal"

    @property
    def status(self) -> str:
        """The worst status of all checks."""
        statuses = {result.status for result in self.results().values()}
        return next((each for each in (UNHEALTHY, DEGRADED) if each in statuses), HEALTHY)

    def info(self) -> dict[str, object]:
        """Return what is known about the process besides the checks."""
        pool = pool_use()
        return {
            "version": tasker_version(),
            "environment": registry_settings().environment,
            "kind": self.kind,
            "operational_state": self.operational_state(),
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "database_pool_size": pool.size,
            "database_pool_in_use": pool.in_use,
            "pool_utilization": round(pool.share, 3),
            "counters": metrics.snapshot(),
            **self.more_info(),
        }

    def _run_checks(self) -> dict[str, CheckResult]:
        if self._round is None or not self._round.is_alive():
            self._round = _CheckRound(self.checks)
            self._round.start()
        limit_seconds = engine_settings().health_timeout_ms / 1000
        self._round.join(limit_seconds)
        late = CheckResult(
            UNHEALTHY, f"no answer within {limit_seconds:g} s", round(limit_seconds * 1000, 1)
        )
        return {name: self._round.results.get(name, late) for name in self.checks}


class _CheckRound(threading.Thread):
    """One run of all checks, on one connection at most."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        super().__init__(name="health-checks", daemon=True)
        self._checks = checks
        self.results: dict[str, CheckResult] = {}

    def run(self) -> None:
        try:
            for name, check in self._checks.items():
                self.results[name] = _run_check(name, check)
        finally:
            database.release_connections()


def _run_check(name: str, check: Check) -> CheckResult:
    began = time.perf_counter()
    try:
        verdict = check()
    except Exception as error:  # noqa: BLE001 - whatever a check meets, the probe has to answer
        # The text of a database error names hosts and users; it belongs in the log only.
        log.warning("health.check_failed", extra={"check": name, "error": str(error).strip()})
        verdict = Verdict(UNHEALTHY, type(error).__name__)
    return CheckResult(*verdict, round((time.perf_counter() - began) * 1000, 2))


# ---------------------------------------------------------------- checks


def check_database() -> Verdict:
    """The database answers."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Verdict(HEALTHY, "the database answers")


def check_schema() -> Verdict:
    """The tables of the engine, all its migrations and PGMQ are there."""
    missing = missing_schema()
    if missing:
        return Verdict(UNHEALTHY, missing)
    return Verdict(HEALTHY, "engine schema, migrations and PGMQ are there")


def missing_schema() -> str:
    """Return what the database lacks to run the engine, an empty text if nothing."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.meta') IS NOT NULL")
        row = cursor.fetchone()
    if not (row and row[0]):
        return "PGMQ is missing; run migrate"
    global _schema_was_complete
    if _schema_was_complete:  # reading all migration files takes tens of milliseconds
        return ""
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return f"{len(plan)} migrations are not applied; run migrate"
    _schema_was_complete = True
    return ""


_schema_was_complete = False


def check_pool() -> Verdict:
    """The share of the connection pool that is in use."""
    share = pool_use().share
    message = f"{share:.0%} of the connections in use"
    if share >= POOL_UNHEALTHY_SHARE:
        return Verdict(UNHEALTHY, message)
    return Verdict(DEGRADED if share >= POOL_DEGRADED_SHARE else HEALTHY, message)


def pool_use() -> PoolUse:
    """Return the state of Django's connection pool, zeros where there is none."""
    pool: Any = getattr(connections["default"], "pool", None)
    if pool is None:
        return PoolUse(0, 0, 0)
    stats = pool.get_stats()
    size = stats.get("pool_size", 0)
    return PoolUse(size, size - stats.get("pool_available", 0), pool.max_size)


# ---------------------------------------------------------------- the health of this process

_current: Health | None = None


def install(health: Health) -> None:
    """Make this the health that the probes of the process show."""
    global _current
    _current = health


def current() -> Health:
    """Return the health of this process; one that installed none is a web process."""
    if _current is None:
        install(web_health())
        return current()
    return _current


def web_health() -> Health:
    """Put together the checks of a web process."""
    return Health(
        kind="web",
        checks={
            "web_database": check_database,
            "orchestration_database": check_schema,
            "pool_utilization": check_pool,
        },
        required=frozenset({"web_database", "orchestration_database"}),
    )
