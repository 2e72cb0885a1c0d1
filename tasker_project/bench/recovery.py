"""How long work stands still after what may go wrong: processes killed, the server restarted.

Five figures, `--samples` of each: a worker killed in the middle of a handler, found by its liveness
lock and, in PollingOnly, by its lease; a retry that is due; an orchestrator killed; PostgreSQL
restarted under load, on a server of its own. Real processes with the settings' defaults.
"""

import random
import time

from tasker_project.bench import killing, restarting
from tasker_project.bench.database import rows
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, summarise
from tasker_project.bench.running import Bench, check_alive, create, forget_tasks

FIRST_DUE_SECONDS = 1.0
APART_SECONDS = 0.2  # on average, between two due times
LONGEST_SECONDS = 60.0
LOOK_SECONDS = 0.1
LATE_MS = """
SELECT extract(epoch FROM h.created_at
  - (s.last_failure_at + make_interval(secs => s.backoff_request_seconds)))::float8 * 1000
FROM tasker_workflow_steps AS s
JOIN tasker_workflow_step_transitions AS h USING (workflow_step_uuid)
JOIN tasker_tasks AS t USING (task_uuid)
WHERE h.to_state = 'in_progress' AND h.attempt = 2 AND t.state = 'complete'
"""


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    bench.say(f"recovery: {bench.samples} retries that fall due")
    figures = summarise("recovery.due_retry", _due_retries(bench))
    bench.say(f"recovery: {bench.samples} workers killed, with liveness lock")
    lock = killing.worker_kills(bench, mode="Hybrid")
    figures |= summarise("recovery.worker_lock", lock, unit="s")
    bench.say(f"recovery: {bench.samples} workers killed, PollingOnly")
    lease = killing.worker_kills(bench, mode="PollingOnly")
    figures |= summarise("recovery.worker_lease", lease, unit="s")
    bench.say(f"recovery: {bench.samples} orchestrators killed")
    figures |= summarise("recovery.orchestrator", killing.orchestrator_kills(bench), unit="s")
    bench.say(f"recovery: {bench.samples} restarts of PostgreSQL")
    recoveries, gaps = restarting.restarts(bench)
    figures |= summarise("recovery.restart", recoveries, unit="s")
    return figures | summarise("recovery.restart_from_stop", gaps, unit="s")


def _due_retries(bench: Bench) -> list[float]:
    """Return by how many ms each retry started after its due time."""
    forget_tasks()
    dice = random.Random(bench.random_state)  # noqa: S311 - not for secrets
    longest = FIRST_DUE_SECONDS + APART_SECONDS * bench.samples
    with bench.engine() as group:
        for _ in range(bench.samples):
            create("retry1", seconds=round(dice.uniform(FIRST_DUE_SECONDS, longest), 3))
        deadline = time.monotonic() + longest + LONGEST_SECONDS
        while len(late := rows(LATE_MS)) < bench.samples:
            check_alive(group)
            if time.monotonic() > deadline:
                raise BenchError(f"Only {len(late)} of {bench.samples} retries were started")
            time.sleep(LOOK_SECONDS)
    return [float(ms) for (ms,) in late]
