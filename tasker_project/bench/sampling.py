"""Counters of the machine and the server, taken several times a second beside a measurement.

A `Sample` holds running totals at a moment of the database's clock; what happened between two
moments is the difference of their interpolated totals.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasker_project.bench import usage
from tasker_project.bench.database import rows
from tasker_project.processes import ProcessGroup

# Write-ahead log counts the whole server: measure on one that does nothing else.
TOTALS = """
SELECT
  extract(epoch FROM clock_timestamp())::float8,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8,
  (SELECT xact_commit::float8 FROM pg_stat_database WHERE datname = current_database())
"""
BACKENDS = """
SELECT pid
FROM pg_stat_activity
WHERE datname = current_database()
   OR backend_type IN ('walwriter', 'checkpointer', 'background writer', 'autovacuum worker')
"""


@dataclass(frozen=True)
class Sample:
    """Totals at one moment, in seconds of the database's clock."""

    at: float
    totals: dict[str, float]


@dataclass
class Sampler:
    """Takes samples; remembers processes that ended, so that their totals stay."""

    group: ProcessGroup
    samples: list[Sample] = field(default_factory=list)
    _cpu: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def take(self) -> Sample:
        """Take one sample and return it."""
        [(at, wal_bytes, commits)] = rows(TOTALS)
        totals = {"wal_bytes": wal_bytes, "commits": commits}
        for child in self.group.children:
            self._note(child.name.rstrip("0123456789"), usage.descendants(child.pid))
        backends = [int(pid) for (pid,) in rows(BACKENDS)]
        self._note("postgres", [pid for pid in backends if usage.is_postgres(pid)])
        totals |= {f"cpu.{kind}": sum(each.values()) for kind, each in self._cpu.items()}
        sample = Sample(float(at), totals)
        self.samples.append(sample)
        return sample

    def _note(self, kind: str, pids: Sequence[int]) -> None:
        for pid in pids:
            if (seconds := usage.cpu_seconds(pid)) is not None:
                self._cpu[kind][pid] = seconds


def between(samples: Sequence[Sample], start: float, end: float) -> dict[str, float]:
    """Return by how much every total grew between two moments."""
    first, last = _totals_at(samples, start), _totals_at(samples, end)
    return {key: total - first.get(key, 0.0) for key, total in last.items()}


def _totals_at(samples: Sequence[Sample], moment: float) -> dict[str, float]:
    """Return the totals at a moment, on the straight line between the samples around it."""
    after = bisect_left([sample.at for sample in samples], moment)
    after = min(max(after, 1), len(samples) - 1)
    left, right = samples[after - 1], samples[after]
    share = (moment - left.at) / (right.at - left.at)
    return {
        key: left.totals.get(key, 0.0) + share * (total - left.totals.get(key, 0.0))
        for key, total in right.totals.items()
    }
