"""Whether the engine becomes slower with the finished tasks in its tables: none, then `--sizes`.

They are loaded by SQL with their histories, 49 rows each, as months without a purge leave them, one
size on top of the other; those of the measurements before stay as well. `share_of_empty` is the
rate in relation to that of empty tables.

Beside the rate of `throughput`: the look for tasks to go on with, among a thousand tasks in all
states that are undone afterwards, and a page of the API's list of tasks.
"""

import time

from django.db import transaction

from tasker_project.bench.loading import label, load_finished, load_tasks_for_now
from tasker_project.bench.percentiles import Figures, named, summarise
from tasker_project.bench.running import Bench, forget_tasks
from tasker_project.bench.statements import next_ready_samples
from tasker_project.bench.throughput import work_off
from tasker_project.bench.web import running_web

NEXT_READY_LIMIT = 50
TASKS_IN_ALL_STATES = 1000
WARM_UP_SAMPLES = 5


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    forget_tasks()
    figures: Figures = {}
    rate_of_empty, loaded = 0.0, 0
    for size in (0, *sorted(bench.sizes)):
        bench.say(f"age: loading up to {size} finished tasks")
        load_finished(size - loaded)
        loaded, name = size, f"age.{label(size)}"
        figures |= summarise(f"{name}.next_ready_{NEXT_READY_LIMIT}", _next_ready(bench))
        values = work_off(bench, f"age, {size} finished tasks")
        figures |= summarise(f"{name}.task_list", _task_list(bench))
        rate_of_empty = rate_of_empty or values["steps_per_second"]
        values["share_of_empty"] = values["steps_per_second"] / rate_of_empty
        figures |= named(name, values)
    forget_tasks()
    return figures


def _next_ready(bench: Bench) -> list[float]:
    """Return how many ms it takes to find tasks that may go on."""
    with transaction.atomic():
        load_tasks_for_now(TASKS_IN_ALL_STATES)
        samples = next_ready_samples(bench.samples, limit=NEXT_READY_LIMIT)
        transaction.set_rollback(True)
    return samples


def _task_list(bench: Bench) -> list[float]:
    """Return how many ms the first page of the API's list of tasks takes; it has to be full."""
    samples = []
    with running_web(bench) as client, client() as api:
        for _ in range(bench.samples + WARM_UP_SAMPLES):
            began = time.perf_counter()
            api.tasks()
            samples.append((time.perf_counter() - began) * 1000)
    return samples[WARM_UP_SAMPLES:]
