"""How long large tasks take, from the request to the final move, with nothing else to do.

The first has `--steps` steps in layers of a hundred, which can run side by side; each waits for two
of the layer before. In the second one step asks for `--batches` batches, and a convergence waits
for them all. `--workers 2` is what the figures are quoted for.

The limits of batches of a step and of steps of a task are raised for the measured processes: the
figures shall say how the engine scales, not where it refuses.
"""

import time
from dataclasses import replace
from uuid import UUID

from tasker_project.bench.database import rows, settle
from tasker_project.bench.e2e import clock_offset
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, check_alive, create, forget_tasks
from tasker_project.bench.sampling import Sampler, between
from tasker_project.bench.shapes import layered, register_batch, register_shape
from tasker_project.bench.throughput import costs
from tasker_project.processes import ProcessGroup

LIMITS = {"TASKER_MAX_STEPS_PER_TASK": "100000", "TASKER_MAX_BATCHES_PER_STEP": "100000"}
WARM_UP_SHAPE, WARM_UP_STEPS = "linear4", 4
AROUND_BATCHES = 2  # the step that asks for them, and the convergence
LOOK_SECONDS = 0.5
LONGEST_STILL_SECONDS = 120.0  # all batches of a step are created in one transaction
GONE_WRONG = ("error", "cancelled", "blocked_by_failures", "resolved_manually")
PROGRESS = """
SELECT
  t.state,
  extract(epoch FROM t.completed_at)::float8,
  (SELECT count(*) FROM tasker_workflow_steps AS s WHERE s.task_uuid = t.task_uuid),
  (
    SELECT count(*)
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = t.task_uuid AND s.state = 'complete'
  )
FROM tasker_tasks AS t
WHERE t.task_uuid = %(task)s
"""


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    forget_tasks()
    shape, batch = f"layered{bench.steps}", f"batch{bench.batches}"
    register_shape(shape, layered(bench.steps))
    register_batch(batch)
    settle()
    figures: Figures = {}
    with replace(bench, environment={**bench.environment, **LIMITS}).engine() as group:
        _run(group, WARM_UP_SHAPE, steps=WARM_UP_STEPS)
        bench.say(f"large: a task of {bench.steps} steps")
        figures |= named(f"large.{shape}", _run(group, shape, steps=bench.steps))
        bench.say(f"large: a step with {bench.batches} batches")
        steps = bench.batches + AROUND_BATCHES
        figures |= named(f"large.{batch}", _run(group, batch, steps=steps, batches=bench.batches))
    forget_tasks()
    return figures


def _run(group: ProcessGroup, shape: str, *, steps: int, **context: int) -> dict[str, float]:
    """Run one task and return how long it took, and what a step of it cost."""
    sampler, offset = Sampler(group), clock_offset()
    before, began = sampler.take(), time.time()
    task = create(shape, **context)
    created = time.time()
    seconds = _completed_at(group, task, steps=steps) - offset - began
    grown = between(sampler.samples, before.at, sampler.take().at)
    return {
        "create_seconds": created - began,
        "run_seconds": seconds,
        "steps_per_second": steps / seconds,
        **costs(grown, steps=steps, seconds=seconds),
    }


def _completed_at(group: ProcessGroup, task: UUID, *, steps: int) -> float:
    """Wait until a task is complete and return when it became so, by the database's clock.

    Raises `BenchError` when nothing moves, something failed, or not all steps are complete.
    """
    seen, moved_at = (0, 0), time.monotonic()
    while True:
        check_alive(group)
        [(state, completed_at, *counts)] = rows(PROGRESS, task=task)
        known, complete = counts
        if state == "complete":
            break
        if (known, complete) != seen:
            seen, moved_at = (known, complete), time.monotonic()
        if state in GONE_WRONG or time.monotonic() - moved_at > LONGEST_STILL_SECONDS:
            raise BenchError(f"The task is '{state}' and stands at {complete} of {known} steps")
        time.sleep(LOOK_SECONDS)
    if not known == complete == steps:
        raise BenchError(f"Of {steps} steps there are {known}, and {complete} are complete")
    return float(completed_at)
