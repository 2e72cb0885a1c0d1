"""The two loads that are profiled, both of chains of four steps.

Saturated: from a fifth to a half of a backlog that was created before; py-spy looks at what is left
of it up to four fifths, so that it does not disturb the counters. Calm: one task every quarter of a
second, with its creation, and with what processes do that have nothing to do.
"""

import time

from tasker_project.bench.database import settle, value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures
from tasker_project.bench.phases import phases
from tasker_project.bench.profile import python
from tasker_project.bench.profile.look import (
    figures_between,
    listings_between,
    look,
    steps_done,
    told_late,
)
from tasker_project.bench.profile.server import telling_server
from tasker_project.bench.running import Bench, check_alive, create, forget_tasks
from tasker_project.bench.sampling import Sampler
from tasker_project.bench.shapes import SHAPES
from tasker_project.bench.throughput import create_backlog
from tasker_project.processes import ProcessGroup

SHAPE = "linear4"
STEPS = len(SHAPES[SHAPE])
COUNTED = (0.2, 0.5)
SAMPLED_UNTIL = 0.8
LOOK_SECONDS = 0.1
LONGEST_STILL_SECONDS = 30.0
CALM_SECONDS = 0.25


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    with telling_server(bench.say) as tells_statements:
        saturated = _saturated(bench, tells_statements=tells_statements)
        return saturated | _calm(bench, tells_statements=tells_statements)


def _saturated(bench: Bench, *, tells_statements: bool) -> Figures:
    forget_tasks()
    bench.say(f"profile: creating {bench.tasks} tasks of {SHAPE}")
    create_backlog(bench.tasks)
    settle()
    bench.say("profile: working them off")
    steps = bench.tasks * STEPS
    with bench.engine() as group:
        sampler = Sampler(group)
        _wait_for(steps * COUNTED[0], group)
        before = look(sampler, tells_statements=tells_statements)
        _wait_for(steps * COUNTED[1], group)
        after = look(sampler, tells_statements=tells_statements)
        with python.sampling(group.children, folder=bench.logs, say=bench.say) as sampled:
            _wait_for(steps * SAMPLED_UNTIL, group)
    bench.listings.extend(listings_between(_title("saturated"), before, after))
    for each in sampled:
        bench.listings.extend(python.listings(each))
    return figures_between("profile_saturated", before, after)


def _calm(bench: Bench, *, tells_statements: bool) -> Figures:
    forget_tasks()
    settle()
    bench.say(f"profile: {bench.samples} tasks, one at a time")
    with bench.engine() as group:
        sampler = Sampler(group)
        before = look(sampler, tells_statements=tells_statements)
        for _ in range(bench.samples):
            create(SHAPE)
            time.sleep(CALM_SECONDS)
        _wait_for(bench.samples * STEPS, group)
        after = look(sampler, tells_statements=tells_statements)
    after = told_late(after)
    bench.listings.extend(listings_between(_title("calm"), before, after))
    figures = figures_between("profile_calm", before, after)
    return figures | {f"profile_{key}": figure for key, figure in phases(SHAPE).items()}


def _title(load: str) -> str:
    """Return a load with the server's version: it may be another than the usual one's."""
    return f"{load} (PostgreSQL {int(value('SHOW server_version_num')) // 10_000})"


def _wait_for(steps: float, group: ProcessGroup) -> None:
    """Wait until so many steps are done; raise `BenchError` when they stop to be."""
    done, moved_at = steps_done(), time.monotonic()
    while done < steps:
        check_alive(group)
        time.sleep(LOOK_SECONDS)
        if (now := steps_done()) > done:
            done, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > LONGEST_STILL_SECONDS:
            raise BenchError(f"No step was finished for {LONGEST_STILL_SECONDS} s, after {done}")
