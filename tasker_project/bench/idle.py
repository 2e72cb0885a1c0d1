"""What an orchestrator and a worker cost that have nothing to do: memory, commits, CPU.

Commits are counted by the server for the whole database, so each process runs alone, and a stretch
without any (autovacuum) is measured first and subtracted. Then both run together: the smallest
engine there is; its CPU is in percent of one core.
"""

import time
from collections.abc import Callable, Iterable

from tasker_project.bench import usage
from tasker_project.bench.database import settle, value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, check_alive, forget_tasks

# A backend tells its counts up to 10 s late when it has nothing to do.
SETTLE_SECONDS = 11.0
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    forget_tasks()
    settle()
    bench.say(f"idle: nothing runs, {bench.seconds} s")
    time.sleep(SETTLE_SECONDS)
    baseline = _commits_per_minute(bench.seconds)
    figures = named("idle.baseline", {"commits_per_minute": baseline})
    for kind, counts in {"orchestrator": (1, 0), "worker": (0, 1)}.items():
        bench.say(f"idle: one {kind}, {bench.seconds} s")
        values = _processes(bench, baseline, orchestrators=counts[0], workers=counts[1])
        figures |= named(f"idle.{kind}", values)
    bench.say(f"idle: both together, {bench.seconds} s")
    values = _processes(bench, baseline, orchestrators=1, workers=1)
    together = {
        "rss_mb": values["rss_mb"],
        "commits_per_second": values["commits_per_minute"] / 60,
        "cpu_percent": values["cpu_ms_per_minute"] / 60_000 * 100,
    }
    return figures | named("idle.together", together)


def _processes(
    bench: Bench, baseline: float, *, orchestrators: int, workers: int
) -> dict[str, float]:
    """Return what processes use together while nothing happens."""
    with bench.engine(orchestrators=orchestrators, workers=workers) as group:
        pids = [child.pid for child in group.children]
        time.sleep(SETTLE_SECONDS)
        cpu_before = _total(usage.cpu_seconds, pids)
        commits = _commits_per_minute(bench.seconds)
        check_alive(group)
        cpu, resident = _total(usage.cpu_seconds, pids), _total(usage.resident_mb, pids)
    return {
        "rss_mb": resident,
        "commits_per_minute": max(commits - baseline, 0),
        "cpu_ms_per_minute": (cpu - cpu_before) * 1000 * 60 / bench.seconds,
    }


def _total(used_by: Callable[[int], float | None], pids: Iterable[int]) -> float:
    """Return what processes use of something together."""
    total = 0.0
    for pid in pids:
        if (used := used_by(pid)) is None:
            raise BenchError("This system has no /proc to read memory and CPU time from")
        total += used
    return total


def _commits_per_minute(seconds: int) -> float:
    """Watch the database for a while; our own questions are part of the baseline as well."""
    before = value(COMMITS)
    time.sleep(seconds)
    return float((value(COMMITS) - before) * 60 / seconds)
