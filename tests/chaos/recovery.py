"""How long a killed worker's steps were without a worker, from the history.

From the kill to the moment another worker has started each step again that was running. A worker
whose row says that it held no liveness lock is found by its lease; those are counted apart.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from tests.chaos.cluster import Kill
from tests.chaos.evidence import Evidence, HopRow, ProcessRow

BOUND_SECONDS = 5.0


class Recovery(NamedTuple):
    """One step that was taken over."""

    kill: Kill
    hop: HopRow
    seconds: float
    is_lease_bound: bool


def recoveries(evidence: Evidence, kills: Sequence[Kill], *, clock_offset: float) -> list[Recovery]:
    """Return the recovery of every step that ran on a killed worker; offset = the database's clock less ours."""
    killed: dict[object, tuple[Kill, ProcessRow]] = {}
    for kill in kills:
        for row in evidence.processes:
            if row.pid == kill.pid and row.name.startswith(kill.name):
                killed[row.worker_uuid] = kill, row
    found = []
    for hops in evidence.hops.values():
        for position, hop in enumerate(hops):
            if hop.to_state != "in_progress" or hop.worker_uuid not in killed:
                continue
            kill, row = killed[hop.worker_uuid]
            seconds = _taken_over(hops[position:], kill.at + clock_offset)
            if seconds is not None:
                found.append(Recovery(kill, hop, seconds, not row.has_liveness_lock))
    return found


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
