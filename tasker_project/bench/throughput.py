"""Tasks a second, with a backlog that is there before the processes start.

Only the steady middle counts: from the 20th to the 80th of 100 finished steps. All figures of the
processes and of the server belong to the same stretch.

`work_off` is the measurement itself, for other suites too; what was in the tables before stays.

Why steps and not tasks: queues are first come, first served, so a backlog moves on breadth first
and its tasks end in waves; a stretch between two tasks would be a wave or the calm before it.
"""

import time
from collections.abc import Mapping, Sequence

from tasker_project.bench.arrivals import UNFINISHED
from tasker_project.bench.database import rows, settle, value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, check_alive, create_together, forget_tasks
from tasker_project.bench.sampling import Sampler, between
from tasker_project.bench.shapes import SHAPES

SHAPE = "linear4"
CREATED_TOGETHER = 50
SAMPLE_SECONDS = 0.25
STEADY = (0.2, 0.8)
STEP_ENDS = """
SELECT extract(epoch FROM created_at)::float8
FROM tasker_workflow_step_transitions
WHERE event = 'complete' AND created_at >= to_timestamp(%(start)s)
ORDER BY 1
"""
NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
LONGEST_STILL_SECONDS = 30.0


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    forget_tasks()
    return named(f"throughput_{SHAPE}", work_off(bench, "throughput"))


def work_off(bench: Bench, suite: str, *, shape: str = SHAPE) -> dict[str, float]:
    """Create a backlog, start the engine, and return the figures of the steady middle."""
    bench.say(f"{suite}: creating {bench.tasks} tasks of {shape}")
    start, began = float(value(NOW)), time.perf_counter()
    create_backlog(bench.tasks, shape=shape)
    created_per_second = bench.tasks / (time.perf_counter() - began)
    settle()
    bench.say(f"{suite}: working them off")
    with bench.engine() as group:
        sampler = Sampler(group)
        _wait_for_all(sampler)
    figures = _steady_middle(sampler, start=start, steps=len(SHAPES[shape]))
    return figures | {"tasks": bench.tasks, "created_per_second": created_per_second}


def create_backlog(tasks: int, *, shape: str = SHAPE) -> None:
    """Create tasks, some with each call."""
    for start in range(0, tasks, CREATED_TOGETHER):
        create_together(shape, min(CREATED_TOGETHER, tasks - start))


def _wait_for_all(sampler: Sampler) -> None:
    """Sample until every task is finished; raise `BenchError` when they stop to."""
    unfinished, moved_at = int(value(UNFINISHED)), time.monotonic()
    while unfinished:
        check_alive(sampler.group)
        sampler.take()
        if (now_unfinished := int(value(UNFINISHED))) < unfinished:
            unfinished, moved_at = now_unfinished, time.monotonic()
        elif time.monotonic() - moved_at > LONGEST_STILL_SECONDS:
            states = rows("SELECT state, count(*) FROM tasker_tasks GROUP BY state ORDER BY state")
            raise BenchError(f"No task was finished for {LONGEST_STILL_SECONDS} s: {dict(states)}")
        time.sleep(SAMPLE_SECONDS)
    sampler.take()


def _steady_middle(sampler: Sampler, *, start: float, steps: int) -> dict[str, float]:
    """Return rates, and what one step cost each process and the server."""
    ends = [float(at) for (at,) in rows(STEP_ENDS, start=start)]
    first, last = (_rank(ends, share) for share in STEADY)
    seconds, done = ends[last] - ends[first], last - first
    grown = between(sampler.samples, ends[first], ends[last])
    rates = {"tasks_per_second": done / steps / seconds, "steps_per_second": done / seconds}
    return rates | costs(grown, steps=done, seconds=seconds)


def costs(grown: Mapping[str, float], *, steps: int, seconds: float) -> dict[str, float]:
    """Return what one step cost each process and the server, from what the totals grew by."""
    figures = {
        "wal_bytes_per_step": grown["wal_bytes"] / steps,
        "commits_per_step": grown["commits"] / steps,
    }
    for kind in (key.removeprefix("cpu.") for key in grown if key.startswith("cpu.")):
        figures[f"{kind}_cpu_ms_per_step"] = grown[f"cpu.{kind}"] * 1000 / steps
        figures[f"{kind}_cpu_cores"] = grown[f"cpu.{kind}"] / seconds
    return figures


def _rank(ends: Sequence[float], share: float) -> int:
    return int(share * (len(ends) - 1))
