"""All checks of one process, run together and kept for a second.

Why the checks run in a thread of their own: a probe must answer within its limit also while the
database hangs, and may then not queue up one connection per probe.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.health.database import pool_use
from orchestration.health.verdict import UNHEALTHY, Check, Verdict, worst
from orchestration.runtime import database
from orchestration.runtime.breaker import State, breaker
from orchestration.runtime.identity import tasker_version
from templates_registry.conf import registry_settings

log = logging.getLogger(__name__)

CACHE_SECONDS = 1.0


class CheckResult(NamedTuple):
    """A verdict and what it took to reach it."""

    status: str
    message: str
    duration_ms: float


@dataclass
class Health:
    """All checks of one process; asked by the probes, cached for a second.

    Ready means that nothing `required` is unhealthy and that the breaker without which the process
    is of no use is not open.
    """

    kind: str
    checks: Mapping[str, Check]
    required: frozenset[str]
    breakers: tuple[str, ...] = ()
    vital_breaker: str | None = None
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
        is_cut_off = self.vital_breaker and breaker(self.vital_breaker).state is State.OPEN
        return is_sound and not is_cut_off and self.operational_state() == "normal"

    @property
    def status(self) -> str:
        """The worst status of all checks."""
        return worst({result.status for result in self.results().values()})

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
            "circuit_breaker_state": {name: breaker(name).state.word for name in self.breakers},
            "circuit_breakers": {name: breaker(name).describe() for name in self.breakers},
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
