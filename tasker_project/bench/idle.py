"""What an orchestrator and a worker cost that have nothing to do: memory, commits, CPU.

Commits are counted by the server for the whole database, so each process runs alone, and a stretch
without any (autovacuum) is measured first and subtracted.
"""

import time

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
        values = _process(bench, orchestrators=counts[0], workers=counts[1])
        values["commits_per_minute"] = max(values["commits_per_minute"] - baseline, 0)
        figures |= named(f"idle.{kind}", values)
    return figures


def _process(bench: Bench, *, orchestrators: int, workers: int) -> dict[str, float]:
    """Return what one process uses while nothing happens."""
    with bench.engine(orchestrators=orchestrators, workers=workers) as group:
        [child] = group.children
        time.sleep(SETTLE_SECONDS)
        cpu_before = usage.cpu_seconds(child.pid)
        commits = _commits_per_minute(bench.seconds)
        check_alive(group)
        cpu, resident = usage.cpu_seconds(child.pid), usage.resident_mb(child.pid)
    if cpu_before is None or cpu is None or resident is None:
        raise BenchError("This system has no /proc to read memory and CPU time from")
    return {
        "rss_mb": resident,
        "commits_per_minute": commits,
        "cpu_ms_per_minute": (cpu - cpu_before) * 1000 * 60 / bench.seconds,
    }


def _commits_per_minute(seconds: int) -> float:
    """Watch the database for a while; our own questions are part of the baseline as well."""
    before = value(COMMITS)
    time.sleep(seconds)
    return float((value(COMMITS) - before) * 60 / seconds)
