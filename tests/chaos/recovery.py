"""How long a killed worker's steps were without a worker, from the history.

From the kill to the moment another worker has started each step again that was running. Two groups
are counted apart, because other bounds hold for them: a worker whose row says that it held no
liveness lock is found by its lease; and where another fault came between, that one is measured: all
sessions had ended, with or without the server (nobody is judged then for a while, engine.md 13.6),
or the message of the step was thrown away before it was taken (the sweep sends it again).
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from tests.chaos.cluster import HEARTBEAT_SECONDS, Kill
from tests.chaos.evidence import Evidence, HopRow

BOUND_SECONDS = 5.0
LOCKED, LEASE_BOUND, DISTURBED = "", "lease_bound_", "disturbed_"
GROUPS = (LOCKED, LEASE_BOUND, DISTURBED)
"""As they stand in the keys of the report: recovery_p95_seconds, recovery_lease_bound_p95_…"""


class Recovery(NamedTuple):
    """One step that was taken over."""

    kill: Kill
    step: HopRow
    seconds: float
    group: str


class Disturbances(NamedTuple):
    """What else happened; times are seconds of the epoch."""

    outages: Sequence[tuple[float, float]] = ()
    purges: Mapping[UUID, Sequence[float]] = MappingProxyType({})


def recoveries(
    evidence: Evidence, kills: Sequence[Kill], *, others: Disturbances, clock_offset: float
) -> list[Recovery]:
    """Return the recovery of every step that ran on a killed worker.

    `clock_offset` is how far the database's clock is ahead of ours.
    """
    killed = {
        row.worker_uuid: (kill, row)
        for kill in kills
        for row in evidence.processes
        if row.pid == kill.pid and row.name == kill.name
    }
    found = []
    for hops in evidence.hops.values():
        for position, hop in enumerate(hops):
            if hop.to_state == "in_progress" and hop.worker_uuid in killed:
                kill, row = killed[hop.worker_uuid]
                seconds = _taken_over(hops[position:], kill.at + clock_offset)
                if seconds is not None:
                    until = kill.at + seconds
                    is_disturbed = _is_disturbed(hop, others, since=kill.at, until=until)
                    usual = LOCKED if row.has_liveness_lock else LEASE_BOUND
                    group = DISTURBED if is_disturbed else usual
                    found.append(Recovery(kill, hop, seconds, group))
    return found


def _is_disturbed(hop: HopRow, others: Disturbances, *, since: float, until: float) -> bool:
    """Tell whether another fault came between a kill and the end of its recovery."""
    return any(
        gone <= until and since <= back + HEARTBEAT_SECONDS for gone, back in others.outages
    ) or any(since <= at <= until for at in others.purges.get(hop.step_uuid, ()))


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
