"""How long a killed worker's steps were without a worker, from the history.

From the kill to the moment another worker has started each step again that was running. Two groups
are counted apart, because other bounds hold for them: a worker whose row says that it held no
liveness lock is found by its lease; and while the database itself is away, or has just come back,
nobody can be, or is, judged (engine.md 13.6).
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.chaos.cluster import HEARTBEAT_SECONDS, Kill
from tests.chaos.evidence import Evidence, HopRow, ProcessRow

BOUND_SECONDS = 5.0
LOCKED, LEASE_BOUND, AROUND_RESTART = "", "lease_bound_", "around_restart_"
GROUPS = (LOCKED, LEASE_BOUND, AROUND_RESTART)
"""As they stand in the keys of the report: recovery_p95_seconds, recovery_lease_bound_p95_…"""


class Recovery(NamedTuple):
    """One step that was taken over."""

    kill: Kill
    step: HopRow
    seconds: float
    group: str


Outages = Iterable[tuple[float, float]]
"""When the database was away: from and until, seconds of the epoch."""


def recoveries(
    evidence: Evidence, kills: Sequence[Kill], *, outages: Outages, clock_offset: float
) -> list[Recovery]:
    """Return the recovery of every step that ran on a killed worker.

    `clock_offset` is how far the database's clock is ahead of ours.
    """
    killed = {
        row.worker_uuid: (kill, _group(kill, row, outages))
        for kill in kills
        for row in evidence.processes
        if row.pid == kill.pid and row.name == kill.name
    }
    found = []
    for hops in evidence.hops.values():
        for position, hop in enumerate(hops):
            if hop.to_state == "in_progress" and hop.worker_uuid in killed:
                kill, group = killed[hop.worker_uuid]
                seconds = _taken_over(hops[position:], kill.at + clock_offset)
                if seconds is not None:
                    found.append(Recovery(kill, hop, seconds, group))
    return found


def _group(kill: Kill, row: ProcessRow, outages: Outages) -> str:
    for gone, back in outages:
        if gone <= kill.at + BOUND_SECONDS and kill.at <= back + HEARTBEAT_SECONDS:
            return AROUND_RESTART
    return LOCKED if row.has_liveness_lock else LEASE_BOUND


def _taken_over(hops: Sequence[HopRow], killed_at: float) -> float | None:
    """Return the seconds until the next claim; None when the first one had ended before."""
    if len(hops) < 2 or hops[1].at.timestamp() <= killed_at or hops[1].event != "worker_lost":
        return None
    again = [hop for hop in hops[1:] if hop.to_state == "in_progress"]
    return again[0].at.timestamp() - killed_at if again else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile, None without values."""
    if not values:
        return None
    ranked = sorted(values)
    return round(ranked[max(0, math.ceil(share * len(ranked)) - 1)], 3)
