"""A restart of PostgreSQL under load: from the moment it answers until a step is finished again.

Also reported is the whole gap, from the stop on. Tasks arrive all the time, so every process loses
connections it was using.
"""

import logging
import random
import time
from uuid import UUID

from orchestration.runtime.database import discard_connections
from tasker_project.bench.arrivals import replenished
from tasker_project.bench.database import rows
from tasker_project.bench.errors import BenchError
from tasker_project.bench.own_server import own_server, restart
from tasker_project.bench.running import Bench, check_alive
from tasker_project.embedded.launcher import EmbeddedServer
from tasker_project.processes import ProcessGroup

BACKLOG = 100
CALM_SECONDS = (1.0, 2.0)  # between two restarts
LONGEST_SECONDS = 90.0
LOOK_SECONDS = 0.1
# The keys are version 7 uuids: their first 48 bits are the milliseconds of their making.
FIRST = """
SELECT extract(epoch FROM min(h.created_at))::float8
FROM tasker_workflow_step_transitions AS h
WHERE h.workflow_step_transition_uuid >= %(floor)s
  AND h.event = 'complete'
  AND h.created_at >= to_timestamp(%(moment)s)
"""


def restarts(bench: Bench) -> tuple[list[float], list[float]]:
    """Return for each restart the seconds from the server's answer, and those from its stop."""
    dice = random.Random(bench.random_state)  # noqa: S311 - not for secrets
    recoveries, gaps = [], []
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it notes each connection it loses
    with own_server() as server, bench.engine() as group:
        with replenished("linear4", backlog=BACKLOG, survives_outages=True) as arrivals:
            _first_step_after(time.time(), group)
            for _ in range(bench.samples):
                time.sleep(dice.uniform(*CALM_SECONDS))
                arrivals.check()
                recovery, gap = _restarted(server, group)
                recoveries.append(recovery)
                gaps.append(gap)
        check_alive(group)
    return recoveries, gaps


def _restarted(server: EmbeddedServer, group: ProcessGroup) -> tuple[float, float]:
    stopped_at, ready_at = restart(server)
    discard_connections()
    first = _first_step_after(ready_at, group)
    return first - ready_at, first - stopped_at


def _first_step_after(moment: float, group: ProcessGroup) -> float:
    """Wait for the first step that is finished after a moment; return when that was.

    The server is on this machine, so both clocks are one.
    """
    floor = UUID(int=int((moment - 1) * 1000) << 80)
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        [(first,)] = rows(FIRST, floor=floor, moment=moment)
        if first is not None:
            return float(first)
        check_alive(group)
        if time.monotonic() > deadline:
            raise BenchError(f"No step was finished within {LONGEST_SECONDS} s of a restart")
        time.sleep(LOOK_SECONDS)
