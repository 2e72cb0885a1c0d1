"""Whether several processes of a worker make each other wait: handlers that sleep 20 ms.

`run_worker --processes N` with N of 1, 2 and 4, each process with one slot. A handler
that sleeps needs no CPU, so N processes should finish N times the steps of one; `share_of_linear`
is how much of that they do. Each gets `--tasks` tasks, so that every N is measured for as long.

Why one slot: with 20 ms of sleep and the way through the engine, a process finishes 35 steps a
second, and four of them stay below what two cores can do. With two slots four processes keep 1.85
of two cores busy, and the figure would say nothing about the processes; `*_cpu_cores` tells how far
that is.
"""

from dataclasses import replace

from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.running import Bench, forget_tasks
from tasker_project.bench.throughput import work_off

SHAPE = "sleep4"
PROCESSES = (1, 2, 4)
SLOTS = 1


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    figures: Figures = {}
    rate_of_one = 0.0
    for count in PROCESSES:
        forget_tasks()
        several = replace(bench, workers=1, processes=count, slots=SLOTS, tasks=bench.tasks * count)
        values = work_off(several, f"sleeping, {count} processes", shape=SHAPE)
        rate_of_one = rate_of_one or values["steps_per_second"]
        values["share_of_linear"] = values["steps_per_second"] / (count * rate_of_one)
        figures |= named(f"sleeping.processes_{count}", values)
    forget_tasks()
    return figures
