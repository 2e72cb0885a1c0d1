"""The floors that must hold on any machine (api-and-operations.md 9); `--check` reads them.

The aims beside them are for 2 cores, a local socket and fsync; the README's figures answer those.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

AT_MOST = {
    "api.linear4.p50_ms": 50,
    "api.linear4.p99_ms": 100,
    "api.diamond4.p50_ms": 75,
    "sql.5k.next_ready_*.mean_ms": 3,
    "sql.100k.next_ready_*.mean_ms": 10,
    "sql.*.readiness.mean_ms": 1,
    "sql.*.context.mean_ms": 1,
    "sql.*.transitive_dependencies.mean_ms": 1,
    "notify.*.p50_ms": 5,
    "notify.*.p95_ms": 10,
    "notify.*.p99_ms": 20,
    "latency_linear4.p99_ms": 500,
    "latency_diamond4.p99_ms": 500,
    "latency_tree8.p99_ms": 800,
    "latency_dag7.p99_ms": 800,
    "latency_linear4_polled.p50_ms": 312,
    "idle.orchestrator.commits_per_minute": 60,
    "idle.worker.commits_per_minute": 60,
    "recovery.due_retry.p95_ms": 100,
    "recovery.due_retry.max_ms": 100,
    "recovery.worker_lock.p95_s": 5,
    "recovery.worker_lock.max_s": 5,
    "recovery.worker_lease.max_s": 32,  # the lease and two seconds
    "recovery.orchestrator.max_s": 30,
    "recovery.restart.p95_s": 5,
    "recovery.restart.max_s": 5,
    "soak.verdict.rss_growth_percent": 10,
    "soak.verdict.dead_rows_growth_percent": 20,
    "idle.orchestrator.rss_mb": 150,
    "idle.worker.rss_mb": 150,
}
AT_LEAST = {
    "throughput_linear4.tasks_per_second": 100,
    "soak.verdict.throughput_percent": 90,
}


def missed(figures: Mapping[str, float]) -> list[str]:
    """Return in one sentence each which measured figures miss their floor."""
    return list(_missed(figures))


def _missed(figures: Mapping[str, float]) -> Iterator[str]:
    for key, figure in figures.items():
        for pattern, limit in AT_MOST.items():
            if fnmatchcase(key, pattern) and figure > limit:
                yield f"{key} is {figure}; at most {limit} is wanted"
        for pattern, limit in AT_LEAST.items():
            if fnmatchcase(key, pattern) and figure < limit:
                yield f"{key} is {figure}; at least {limit} is wanted"
