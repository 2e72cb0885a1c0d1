"""Latency of one task at a time: from the start of the request to `completed_at`.

`completed_at` is stamped by the database, so the offset of its clock is measured and subtracted.
Nobody looks at the task while it runs: the figure is read afterwards, and holds no polling.
"""

import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from tasker_project.bench.database import rows, settle
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures, summarise
from tasker_project.bench.phases import phases
from tasker_project.bench.running import Bench, check_alive, create, forget_tasks
from tasker_project.bench.shapes import NAMESPACE
from tasker_project.bench.web import running_web
from tasker_project.processes import ProcessGroup

MEASURED_SHAPES = ("linear4", "diamond4", "tree8", "dag7")
WARM_UP_SAMPLES = 20
OFFSET_SAMPLES = 50
REST_SECONDS = 0.1  # no look at a task before this
LOOK_SECONDS = 0.02
LONGEST_SECONDS = 30.0
POLL_SECONDS = 0.05
ANSWER = (
    "SELECT state, extract(epoch FROM completed_at)::float8 FROM tasker_tasks "
    "WHERE task_uuid = %(task)s"
)


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    figures: Figures = {}
    forget_tasks()
    settle()
    with bench.engine() as group:
        for shape in MEASURED_SHAPES:
            bench.say(f"e2e: {shape}")
            figures |= summarise(f"latency_{shape}", _samples(bench, group, shape, _unobserved))
        figures |= phases("linear4")
        bench.say("e2e: linear4, seen by a client that polls every 50 ms")
        figures |= summarise("latency_linear4_polled", _samples(bench, group, "linear4", _polled))
        bench.say("e2e: linear4, requested over HTTP")
        figures |= summarise("latency_linear4_http", _over_http(bench, group))
    return figures


def _over_http(bench: Bench, group: ProcessGroup) -> list[float]:
    """Return the latencies of tasks that are created by POST /v1/tasks."""
    with running_web(bench) as client, client() as api:

        def post(shape: str) -> UUID:
            return UUID(api.create_task({"name": shape, "namespace": NAMESPACE})["task_uuid"])

        return _samples(bench, group, "linear4", partial(_unobserved, create_task=post))


def _samples(
    bench: Bench, group: ProcessGroup, shape: str, sample: Callable[[str, float], float]
) -> list[float]:
    """Return the latencies in ms, without those of the warm-up."""
    found = []
    for _ in range(WARM_UP_SAMPLES + bench.samples):
        check_alive(group)
        found.append(sample(shape, clock_offset(OFFSET_SAMPLES // 10)) * 1000)
    return found[WARM_UP_SAMPLES:]


def _unobserved(shape: str, offset: float, *, create_task: Callable[[str], UUID] = create) -> float:
    """Return the seconds from the request to `completed_at`."""
    began = time.time()
    task = create_task(shape)
    time.sleep(REST_SECONDS)
    return _completed_at(task) - offset - began


def _completed_at(task: UUID) -> float:
    """Wait until a task is complete and return when it became so, by the database's clock."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        [(state, completed_at)] = rows(ANSWER, task=task)
        if completed_at is not None and state == "complete":
            return float(completed_at)
        time.sleep(LOOK_SECONDS)
    raise BenchError(f"Task {task} is '{state}' and not complete after {LONGEST_SECONDS} s")


def _polled(shape: str, offset: float) -> float:
    """Return the seconds after which a client that polls knows that the task is complete."""
    began = time.perf_counter()
    task = create(shape)
    while rows(ANSWER, task=task)[0][0] != "complete":
        if time.perf_counter() - began > LONGEST_SECONDS:
            raise BenchError(f"Task {task} is not complete after {LONGEST_SECONDS} s")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - began


def clock_offset(count: int = OFFSET_SAMPLES) -> float:
    """Return how many seconds the database's clock is ahead of ours.

    The quickest of several questions tells best: its answer was stamped half-way.
    """
    best = (float("inf"), 0.0)
    for _ in range(count):
        began = time.time()
        [(theirs,)] = rows("SELECT extract(epoch FROM clock_timestamp())::float8")
        ended = time.time()
        best = min(best, (ended - began, float(theirs) - (began + ended) / 2))
    return best[1]
