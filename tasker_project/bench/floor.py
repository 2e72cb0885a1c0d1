"""What the server needs for the rows of a step alone: the floor under `throughput`.

One session writes the rows of a step for many tasks by a statement each, with nothing decided, no
trigger and no process beside. `throughput_linear4.steps_per_second` over this figure says how close
the engine is to what PostgreSQL can do.
"""

import time
from importlib.resources import files

from django.db import transaction

from tasker_project.bench.database import rows, settle, value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, forget_tasks
from tasker_project.bench.shapes import SHAPES
from tasker_project.bench.throughput import SHAPE, create_backlog

TASKS_TOGETHER = 500
UNDONE = "SELECT count(*) FROM tasker_workflow_steps WHERE state <> 'complete'"


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    forget_tasks()
    bench.say(f"floor: creating {bench.tasks} tasks of {SHAPE}")
    create_backlog(bench.tasks)
    settle()
    bench.say("floor: writing the rows of their steps")
    began = time.perf_counter()
    for level in range(1, len(SHAPES[SHAPE]) + 1):
        for _ in range(0, bench.tasks, TASKS_TOGETHER):
            _write(level)
    seconds = time.perf_counter() - began
    if undone := value(UNDONE):
        raise BenchError(f"The floor left {undone} steps undone: does {SHAPE} still look the same?")
    steps = bench.tasks * len(SHAPES[SHAPE])
    return named(
        "floor", {"steps_per_second": steps / seconds, "ms_per_step": seconds * 1000 / steps}
    )


def _write(level: int) -> None:
    """Let a batch of tasks do their step of this level, in one transaction."""
    text = files("tasker_project.bench").joinpath("floor.sql").read_text("utf-8")
    with transaction.atomic():
        for name, number in (("level", level), ("tasks", TASKS_TOGETHER)):
            value(
                "SELECT set_config(%(name)s, %(number)s, true)",
                name=f"bench.{name}",
                number=str(number),
            )
        rows(text.replace("%", "%%"))
