"""What can be measured, in the order in which it is measured."""

from collections.abc import Callable, Mapping

from tasker_project.bench import (
    age,
    api,
    creation,
    e2e,
    floor,
    idle,
    inline,
    large,
    notify,
    profile,
    purging,
    recovery,
    sleeping,
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
    "large": large.measure,
    "sleeping": sleeping.measure,
    "age": age.measure,
}
BY_NAME_ONLY = frozenset({"profile", "purge", "recovery", "soak", "large", "sleeping", "age"})
"""`bench` alone leaves them out: they take many minutes, or disturb what they measure."""
