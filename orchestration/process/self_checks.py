"""The health checks of every orchestrator and worker: loops, listener, connections, breakers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from orchestration import health, metrics
from orchestration.conf import engine_settings
from orchestration.messaging.listener import Listener
from orchestration.models.process import ProcessKind
from orchestration.process.process import Process
from orchestration.runtime.breaker import MESSAGING, TASK_READINESS, breaker
from orchestration.runtime.executor_pool import ExecutorPool
from orchestration.runtime.loop import Loop

LISTENER_DOWN_SECONDS = 60
BREAKERS = {
    ProcessKind.ORCHESTRATOR.value: (MESSAGING, TASK_READINESS),
    ProcessKind.WORKER.value: (MESSAGING,),
}


def install_health(
    process: Process,
    checks: Mapping[str, health.Check],
    *,
    required: Iterable[str],
    more_info: Callable[[], Mapping[str, object]] = dict,
) -> None:
    """Show these checks on the probes of the process, beside those that all processes have."""
    needs = {*required, "loops"}
    breakers = BREAKERS[process.identity.kind]
    common: dict[str, health.Check] = {
        "loops": lambda: check_loops(process.loops),
        "pool_utilization": health.PoolCheck(),
        "circuit_breaker": partial(health.check_breakers, breakers),
    }
    if (listener := process.listener) is not None:
        common["listener"] = lambda: check_listener(listener)
    if process.mode == "EventDrivenOnly":
        needs.add("listener")
    _install_looks(process, breakers=breakers, more_info=more_info)
    health.install(
        health.Health(
            kind=process.identity.kind,
            worker_id=process.identity.name,
            checks={**checks, **common},
            required=frozenset(needs),
            breakers=breakers,
            is_stalled=lambda: is_stalled(process.loops),
            operational_state=lambda: process.operational_state,
            more_info=more_info,
        )
    )


def _install_looks(
    process: Process, *, breakers: Sequence[str], more_info: Callable[[], Mapping[str, object]]
) -> None:
    """Say what of this process is measured at a scrape of its metrics."""

    def pools() -> Iterable[tuple[str, Mapping[str, float]]]:
        found = more_info().get("executor_pools")
        return found.items() if isinstance(found, dict) else ()

    def is_falling_back() -> bool:
        listener = process.listener
        return process.mode == "Hybrid" and not (listener and listener.is_connected)

    kind = process.identity.kind
    health.look_at_process(kind, mode=process.mode, breakers=breakers)
    health.look_at_pools(pools)
    metrics.POLLING_FALLBACK.ask(lambda: [((), is_falling_back())])
    if kind == ProcessKind.ORCHESTRATOR:
        health.look_at_database()


def breaker_states(kind: str) -> dict[str, str]:
    """Return what the circuit breakers of a kind of process do, for its registry row."""
    return {name: breaker(name).state.word for name in BREAKERS[kind]}


def is_stalled(loops: Sequence[Loop | ExecutorPool]) -> bool:
    """Say whether a round has been running for longer than a round ever should."""
    limit = engine_settings().liveness_stall_seconds
    return any(loop.busy_seconds > limit for loop in loops)


def check_loops(loops: Sequence[Loop | ExecutorPool]) -> health.Verdict:
    """All loops run, and none of them waits after an error."""
    dead = [loop.name for loop in loops if not loop.is_running]
    if dead or not loops:
        return health.Verdict(health.UNHEALTHY, f"not running: {', '.join(dead) or 'all'}")
    backing_off = [loop.name for loop in loops if loop.is_backing_off]
    if backing_off:
        names = ", ".join(backing_off)
        return health.Verdict(health.DEGRADED, f"backing off after errors: {names}")
    return health.Verdict(health.HEALTHY, f"{len(loops)} loops run")


def check_listener(listener: Listener) -> health.Verdict:
    """Notifications arrive."""
    if listener.is_connected:
        return health.Verdict(health.HEALTHY, "connected")
    if listener.down_seconds > LISTENER_DOWN_SECONDS:
        return health.Verdict(health.UNHEALTHY, f"down for {listener.down_seconds:.0f} s")
    return health.Verdict(health.DEGRADED, "reconnecting, polling meanwhile")
