"""What can be measured, in the order in which it is measured."""

from collections.abc import Callable, Mapping

from tasker_project.bench import (
    api,
    creation,
    e2e,
    floor,
    idle,
    inline,
    notify,
    profile,
    purging,
    recovery,
    soak,
    statements,
    throughput,
)
from tasker_project.bench.percentiles import Figures
from tasker_project.bench.running import Bench

SUITES: Mapping[str, Callable[[Bench], Figures]] = {
    "e2e": e2e.measure,
    "throughput": throughput.measure,
    "floor": floor.measure,
    "api": api.measure,
    "creation": creation.measure,
    "notify": notify.measure,
    "sql": statements.measure,
    "inline": inline.measure,
    "idle": idle.measure,
    "profile": profile.measure,
    "purge": purging.measure,
    "recovery": recovery.measure,
    "soak": soak.measure,
}
BY_NAME_ONLY = frozenset({"profile", "purge", "recovery", "soak"})
"""`bench` alone leaves them out: they take many minutes, or disturb what they measure."""
