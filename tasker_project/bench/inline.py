"""A test of a workflow, as people write it: `run_inline` in a transaction that is rolled back.

The template is registered beforehand for `inline.*`, as after a migration; `inline_new.*` registers
it in every run, with a namespace that is there already. CPU is that of this process and of its
database session, without the wait for each other.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction

from tasker_project.bench.database import value
from tasker_project.bench.percentiles import Figures, named, summarise
from tasker_project.bench.running import Bench
from tasker_project.bench.shapes import NAMESPACE
from tasker_project.bench.usage import cpu_seconds
from templates_registry import registry
from templates_registry.schema import TaskTemplate
from workers.testing import run_inline

WARM_UP_RUNS = 10
SHAPES = ("linear4", "diamond4")
HANDLERS: dict[str, Any] = {"bench.nothing": lambda context: {"ok": True}}


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    figures: Figures = {}
    for shape in SHAPES:
        bench.say(f"inline: {bench.samples} runs of {shape}")
        figures |= _runs(f"inline.{shape}", bench.samples, partial(_run, f"{NAMESPACE}/{shape}"))
    found = registry.find(NAMESPACE, SHAPES[0]).template
    fresh = found.model_copy(update={"version": "9.9.9"})
    bench.say(f"inline: {bench.samples} runs of a template that is registered by them")
    return figures | _runs(f"inline_new.{SHAPES[0]}", bench.samples, partial(_run, fresh))


def _run(template: str | TaskTemplate) -> None:
    run_inline(template, handlers=HANDLERS).assert_complete()


def _runs(name: str, samples: int, run: Callable[[], None]) -> Figures:
    for _ in range(WARM_UP_RUNS):
        _rolled_back(run)
    session = int(value("SELECT pg_backend_pid()"))
    session_before, own_before = cpu_seconds(session), time.process_time()
    taken = [_rolled_back(run) for _ in range(samples)]
    cpu = {"python_cpu_ms": (time.process_time() - own_before) / samples * 1000}
    session_after = cpu_seconds(session)
    if session_before is not None and session_after is not None:
        cpu["session_cpu_ms"] = (session_after - session_before) / samples * 1000
    return summarise(name, taken) | named(name, cpu)


def _rolled_back(run: Callable[[], None]) -> float:
    """Return how many ms a run takes that leaves nothing behind."""
    with transaction.atomic():
        began = time.perf_counter()
        run()
        taken = (time.perf_counter() - began) * 1000
        transaction.set_rollback(True)
    return taken
