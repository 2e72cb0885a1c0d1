"""How fast tasks are created, which start at once: one by one, many in one call, one that is large.

Nobody works them off; queues are emptied in between, so that none has to wait for room. The large
task is a chain of 5,000 steps.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tasker_project.bench.database import settle
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, create, create_together, forget_tasks, purge_queues
from tasker_project.bench.shapes import linear, register_shape

SHAPE = "linear4"
TOGETHER = 500
LARGE_SHAPE = "linear5000"
LARGE_STEPS = 5000
LARGE_SAMPLES = 3


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    bench.say(f"creation: {bench.tasks} tasks of {SHAPE} one by one")
    figures = _rate("one_by_one", bench.tasks, _create_one_by_one)
    bench.say(f"creation: {bench.tasks} tasks of {SHAPE}, {TOGETHER} in one call")
    figures |= _rate(f"together_{TOGETHER}", bench.tasks, partial(create_together, SHAPE))
    bench.say(f"creation: a task of {LARGE_STEPS} steps")
    register_shape(LARGE_SHAPE, linear(LARGE_STEPS))
    seconds = min(_seconds(partial(create, LARGE_SHAPE)) for _ in range(LARGE_SAMPLES))
    figures |= named(f"creation.{LARGE_SHAPE}", {"seconds": seconds})
    forget_tasks()
    return figures


def _rate(name: str, tasks: int, make: Callable[[int], None]) -> Figures:
    """Return how many tasks are created a second."""
    forget_tasks()
    make(1)  # what is read once per process
    settle()
    sizes = [min(TOGETHER, tasks - done) for done in range(0, tasks, TOGETHER)]
    seconds = sum(_seconds(partial(make, size)) for size in sizes)
    return named(f"creation.{name}", {"tasks_per_second": tasks / seconds})


def _create_one_by_one(tasks: int) -> None:
    for number in range(tasks):
        create(SHAPE, number=number)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    taken = time.perf_counter() - began
    purge_queues()
    return taken
