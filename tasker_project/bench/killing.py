"""kill -9 of workers and orchestrators, and when their work goes on elsewhere.

The moments of the engine are those of its history, on the database's clock; the moment of a kill is
our clock's, corrected by the offset of the two.
"""

import random
import time
from collections.abc import Callable
from uuid import UUID

from tasker_project.bench.arrivals import replenished
from tasker_project.bench.database import rows, value
from tasker_project.bench.e2e import clock_offset
from tasker_project.bench.errors import BenchError
from tasker_project.bench.running import Bench, check_alive, create, forget_tasks
from tasker_project.processes import Child, ProcessGroup

KILLED_TOGETHER = {"Hybrid": 10, "PollingOnly": 25}  # workers a round; a lease takes its time
# At most, between two kills: they meet every phase of the look-out (2 s), of the heartbeat (10 s).
APART_SECONDS = {"Hybrid": 0.5, "PollingOnly": 0.8}
HEIRS = 2
LONGEST_SECONDS = 90.0
LOOK_SECONDS = 0.1
ORCHESTRATORS = 3
BACKLOG = 8
CLAIMS = """
SELECT s.task_uuid, w.pid
FROM tasker_workflow_steps AS s
JOIN tasker_workers AS w ON w.worker_uuid = s.claimed_by
WHERE s.task_uuid = ANY(%(tasks)s) AND s.state = 'in_progress' AND s.attempts = 1
"""
LOCKS = "SELECT count(*) FROM tasker_workers WHERE pid = ANY(%(pids)s) AND has_liveness_lock"
STARTED_AGAIN = """
SELECT s.task_uuid, extract(epoch FROM h.created_at)::float8
FROM tasker_workflow_steps AS s
JOIN tasker_workflow_step_transitions AS h USING (workflow_step_uuid)
WHERE s.task_uuid = ANY(%(tasks)s) AND h.to_state = 'in_progress' AND h.attempt = 2
"""
IN_PROCESS = "SELECT task_uuid FROM tasker_tasks WHERE state = 'steps_in_process'"
WENT_ON = """
SELECT
  t.task_uuid,
  coalesce(
    (
      SELECT extract(epoch FROM min(h.created_at))::float8 - %(moment)s
      FROM tasker_workflow_steps AS s
      JOIN tasker_workflow_step_transitions AS h USING (workflow_step_uuid)
      WHERE s.task_uuid = t.task_uuid
        AND h.event = 'complete'
        AND h.created_at >= to_timestamp(%(moment)s)
    ),
    -- it ended before, or with a last step that was complete a moment before
    CASE WHEN t.completed_at IS NOT NULL THEN 0 END
  )
FROM tasker_tasks AS t
WHERE t.task_uuid = ANY(%(tasks)s)
"""


def worker_kills(bench: Bench, *, mode: str) -> list[float]:
    """Return the seconds from each kill until a live worker has started the step again."""
    forget_tasks()
    dice = random.Random(bench.random_state)  # noqa: S311 - not for secrets
    found: list[float] = []
    with bench.engine(orchestrators=1, workers=0, mode=mode) as group:
        while len(found) < bench.samples:
            count = min(KILLED_TOGETHER[mode], bench.samples - len(found))
            found += _killed_workers(bench, group, dice, mode=mode, count=count)
    return found


def _killed_workers(
    bench: Bench, group: ProcessGroup, dice: random.Random, *, mode: str, count: int
) -> list[float]:
    """Let some workers hold one step each, bring in their heirs, and kill them one by one."""
    victims = {child.pid: child for child in bench.start_workers(group, count, slots=1, mode=mode)}
    if mode != "PollingOnly":
        _wait(lambda: value(LOCKS, pids=list(victims)) == count, "workers have their locks", group)
    tasks = [create("hold1") for _ in range(count)]
    _wait(lambda: len(rows(CLAIMS, tasks=tasks)) == count, "steps are claimed", group)
    held = {task: victims[pid] for task, pid in rows(CLAIMS, tasks=tasks)}
    heirs = bench.start_workers(group, HEIRS, slots=count, mode=mode)
    offset = clock_offset()
    killed: dict[UUID, float] = {}
    for task, child in held.items():
        time.sleep(dice.uniform(0, APART_SECONDS[mode]))
        killed[task] = time.time() + offset
        _kill(group, child)
    _wait(lambda: len(rows(STARTED_AGAIN, tasks=tasks)) == count, "steps started again", group)
    for heir in heirs:
        group.children.remove(heir)
        heir.stop()
    return [float(at) - killed[task] for task, at in rows(STARTED_AGAIN, tasks=tasks)]


def orchestrator_kills(bench: Bench) -> list[float]:
    """Return the seconds from each kill until the slowest of all running tasks has gone on."""
    forget_tasks()
    dice = random.Random(bench.random_state)  # noqa: S311 - not for secrets
    found: list[float] = []
    with (
        bench.engine(orchestrators=ORCHESTRATORS, workers=1) as group,
        replenished("linear50", backlog=BACKLOG) as arrivals,
    ):
        for _ in range(bench.samples):
            time.sleep(dice.uniform(0.2, 0.7))
            arrivals.check()
            running = [child for child in group.children if child.name.startswith("orchestrator")]
            found.append(_killed_orchestrator(group, dice.choice(running)))
            bench.start_orchestrators(group, 1)
    return found


def _killed_orchestrator(group: ProcessGroup, child: Child) -> float:
    offset = clock_offset()
    tasks = [task for (task,) in rows(IN_PROCESS)]
    if not tasks:
        raise BenchError("No task was in process when an orchestrator was to be killed")
    moment = time.time() + offset
    _kill(group, child)

    def went_on() -> bool:
        return all(after is not None for _, after in rows(WENT_ON, tasks=tasks, moment=moment))

    _wait(went_on, "tasks went on", group)
    return max(float(after) for _, after in rows(WENT_ON, tasks=tasks, moment=moment))


def _kill(group: ProcessGroup, child: Child) -> None:
    child.kill()
    group.children.remove(child)
    child.stop()


def _wait(condition: Callable[[], bool], what: str, group: ProcessGroup) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not condition():
        check_alive(group)
        if time.monotonic() > deadline:
            raise BenchError(f"It was not so that {what} within {LONGEST_SECONDS} s")
        time.sleep(LOOK_SECONDS)
