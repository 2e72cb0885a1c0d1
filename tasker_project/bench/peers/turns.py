"""One turn of one system: idle first, then each shape, workflow by workflow and many at once."""

import time
from dataclasses import dataclass
from typing import NamedTuple

from tasker_project.bench import usage
from tasker_project.bench.idle import SETTLE_SECONDS
from tasker_project.bench.peers import databases
from tasker_project.bench.peers.systems import AtWork
from tasker_project.bench.percentiles import percentile
from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import EmbeddedServer

Values = dict[str, float]
WIDE = "fanout20"
WIDE_SHARE = 5  # of many steps, so that fewer workflows tell as much


class Used(NamedTuple):
    """CPU time so far."""

    own_ms: float
    postgres_ms: float


@dataclass(frozen=True)
class Turns:
    """How much is measured in every turn."""

    server: EmbeddedServer
    workflows: int
    samples: int
    idle_seconds: int

    def idle(self, at_work: AtWork) -> Values:
        """Return what idle workers commit; nothing for who has no database."""
        if at_work.database is None or not self.idle_seconds:
            return {}
        time.sleep(SETTLE_SECONDS)
        with databases.maintenance(self.server) as connection:
            before = databases.commits(connection, at_work.database)
            time.sleep(self.idle_seconds)
            after = databases.commits(connection, at_work.database)
        return {"commits_per_second": (after - before) / self.idle_seconds}

    def shape(self, shape: str, at_work: AtWork) -> Values:
        """Return the figures of one shape."""
        ordered = sorted(at_work.latencies_ms(shape, self.samples))
        latencies = {
            "latency_p50_ms": percentile(ordered, 50),
            "latency_p99_ms": percentile(ordered, 99),
            "latency_max_ms": ordered[-1],
        }
        return self._throughput(shape, at_work) | latencies

    def _throughput(self, shape: str, at_work: AtWork) -> Values:
        """Measure many workflows at once, and what they cost."""
        count = max(self.workflows // WIDE_SHARE, 1) if shape == WIDE else self.workflows
        before: list[Used] = []
        spent = at_work.throughput(shape, count, lambda: before.append(self._used(at_work)))
        [used], now = before, self._used(at_work)
        postgres_ms = now.postgres_ms - used.postgres_ms
        own_ms = now.own_ms - used.own_ms + spent.client_cpu_ms
        return {
            "workflows_per_second": count / spent.seconds,
            "cpu_ms_per_workflow": (own_ms + postgres_ms) / count,
            "postgres_cpu_ms": postgres_ms / count,
        }

    def _used(self, at_work: AtWork) -> Used:
        """Return the CPU time that a system's processes and the server have used so far."""
        own = sum(usage.family_cpu_seconds(child.pid) for child in at_work.group.children)
        server = postmaster.pid_of(self.server.data)
        postgres = usage.family_cpu_seconds(server) if server is not None else 0.0
        return Used(own * 1000, postgres * 1000)
