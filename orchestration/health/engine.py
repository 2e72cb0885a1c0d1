"""Checks of what the database knows about the engine: its queues, its orchestrators, their pools.

Web processes and orchestrators ask alike. The looks are bounded and kept for some seconds, whoever
probes how often; nothing of this decides whether a process is ready.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from orchestration.conf import Tier, engine_settings, protection_settings
from orchestration.health.verdict import DEGRADED, HEALTHY, UNHEALTHY, Check, Verdict, graded
from orchestration.queries import pressure, processes
from orchestration.queries.pressure import NamespaceWork
from orchestration.queries.processes import Orchestrator

Found = TypeVar("Found")

KEPT_SECONDS = 5.0
FRESH_HEARTBEATS = 3
"""Heartbeats that a process may miss and still count as alive."""
LATE_SECONDS, VERY_LATE_SECONDS = 5, 60
BUSY_SHARE, SATURATED_SHARE = 0.7, 0.95
SATURATED_SECONDS = 30


class Kept(Generic[Found]):
    """The answer to a question, asked again when it is older than some seconds."""

    def __init__(
        self, ask: Callable[[], Found], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask nothing yet; an error is not kept."""
        self._ask = ask
        self._clock = clock
        self._found: tuple[Found] | None = None
        self._asked_at = 0.0

    def __call__(self) -> Found:
        """Return what was found."""
        now = self._clock()
        if self._found is None or now - self._asked_at >= KEPT_SECONDS:
            self._found = (self._ask(),)
            self._asked_at = now
        return self._found[0]


def engine_checks(
    *, is_orchestrator: bool = False, clock: Callable[[], float] = time.monotonic
) -> dict[str, Check]:
    """Return the checks of the engine; an orchestrator does not ask whether there is one."""
    lag = Kept(pressure.orchestration_lag, clock=clock)
    work = Kept(_work_of_namespaces, clock=clock)
    orchestrators = Kept(_fresh_orchestrators, clock=clock)
    checks: dict[str, Check] = {
        "command_processor": lambda: check_lag(lag()),
        "queue_depth": lambda: check_work(work()),
        "channel_saturation": SaturationCheck(orchestrators, clock=clock),
    }
    if not is_orchestrator:
        checks["orchestration_system"] = lambda: check_orchestrators(orchestrators())
    return checks


def check_orchestrators(fresh: Sequence[Orchestrator]) -> Verdict:
    """Some orchestrator lives; without one tasks are still created, but none moves on."""
    if fresh:
        return Verdict(HEALTHY, f"{len(fresh)} orchestrators live")
    return Verdict(UNHEALTHY, "no orchestrator lives: tasks are created, but none moves on")


def check_lag(seconds: float | None) -> Verdict:
    """Messages for the engine are taken soon."""
    if seconds is None:
        return Verdict(HEALTHY, "no message waits")
    message = f"the oldest message has been waiting for {seconds:.1f} s"
    return graded(seconds, message, degraded=LATE_SECONDS, unhealthy=VERY_LATE_SECONDS)


def check_work(namespaces: Sequence[NamespaceWork]) -> Verdict:
    """No namespace has more to do than it should."""
    settings = protection_settings()
    most = max((each.work for each in namespaces), default=0)
    deep = sum(settings.tier_of(each.work) > Tier.NORMAL for each in namespaces)
    most_said = f"{most}" if most <= settings.queue_overflow else f"over {settings.queue_overflow}"
    return graded(
        most,
        f"{deep} of {len(namespaces)} namespaces are deep; the deepest has {most_said} messages "
        "and waiting tasks",
        degraded=settings.queue_warning,
        unhealthy=settings.queue_overflow,
    )


class SaturationCheck:
    """The executors of the living orchestrators have time left; a short peak is no matter."""

    def __init__(
        self,
        orchestrators: Callable[[], Sequence[Orchestrator]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Go by what the orchestrators say about themselves."""
        self._orchestrators = orchestrators
        self._clock = clock
        self._saturated_since: float | None = None

    def __call__(self) -> Verdict:
        """Return what was found."""
        shares = busy_shares([each.report for each in self._orchestrators()])
        name, share = max(shares.items(), key=lambda item: item[1], default=("", 0.0))
        message = f"'{name}' is {share:.0%} busy" if name else "no orchestrator lives"
        if share < SATURATED_SHARE:
            self._saturated_since = None
            return Verdict(DEGRADED if share >= BUSY_SHARE else HEALTHY, message)
        now = self._clock()
        if self._saturated_since is None:
            self._saturated_since = now
        seconds = now - self._saturated_since
        is_lasting = seconds >= SATURATED_SECONDS
        return Verdict(
            UNHEALTHY if is_lasting else DEGRADED, f"{message}, for {seconds:.0f} s already"
        )


def busy_shares(reports: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return for each pool which share of their time the executors of all processes were busy."""
    busy: dict[str, float] = {}
    offered: dict[str, float] = {}
    for report in reports:
        for name, pool in report.get("executor_pools", {}).items():
            busy[name] = busy.get(name, 0.0) + pool["utilization"] * pool["size"]
            offered[name] = offered.get(name, 0.0) + pool["size"]
    return {name: busy[name] / offered[name] for name in busy if offered[name]}


def _work_of_namespaces() -> list[NamespaceWork]:
    return pressure.of_namespaces(limit=protection_settings().queue_overflow + 1)


def fresh_seconds() -> float:
    """Return the age of a heartbeat up to which a process counts as alive."""
    return FRESH_HEARTBEATS * engine_settings().heartbeat_seconds


def _fresh_orchestrators() -> list[Orchestrator]:
    return processes.fresh_orchestrators(within_seconds=fresh_seconds())
