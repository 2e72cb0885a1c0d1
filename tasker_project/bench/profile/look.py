"""One look at everything that counts, and what happened between two of them."""

from dataclasses import dataclass, replace

from tasker_project.bench.database import value
from tasker_project.bench.errors import BenchError
from tasker_project.bench.listing import Listing
from tasker_project.bench.percentiles import Figures, named
from tasker_project.bench.profile import functions, statements, tables
from tasker_project.bench.profile.counters import grown
from tasker_project.bench.sampling import Sample, Sampler, between

STEPS_DONE = (
    "SELECT /* bench profile */ count(*) FROM tasker_workflow_steps WHERE state = 'complete'"
)


@dataclass(frozen=True, kw_only=True)
class Look:
    """The counters at one moment."""

    steps: int
    statements: dict[statements.Statement, tuple[float, ...]]
    functions: dict[str, tuple[float, ...]]
    tables: dict[str, tuple[float, ...]]
    sample: Sample


def steps_done() -> int:
    """Return how many steps are complete."""
    return int(value(STEPS_DONE))


def look(sampler: Sampler, *, tells_statements: bool) -> Look:
    """Read all counters; those of statements without what reading the others costs."""
    is_first = not sampler.samples
    early = sampler.take() if is_first else None
    told = statements.read() if tells_statements else {}
    return Look(
        steps=steps_done(),
        statements=told,
        functions={} if tells_statements else functions.read(),
        tables=tables.read(),
        sample=early or sampler.take(),
    )


def told_late(last: Look) -> Look:
    """Return a last look with what sessions tell when they end, which is all that they counted."""
    told = {} if last.statements else functions.read()
    return replace(last, tables=tables.read(), functions=told)


def steps_between(before: Look, after: Look) -> int:
    """Return how many steps were done; raise `BenchError` when there was none to divide by."""
    if not (steps := after.steps - before.steps):
        raise BenchError("All steps were done before they could be counted; give more --tasks.")
    return steps


def figures_between(name: str, before: Look, after: Look) -> Figures:
    """Return what one step cost."""
    steps = steps_between(before, after)
    samples = [before.sample, after.sample]
    seconds = after.sample.at - before.sample.at
    totals = between(samples, before.sample.at, after.sample.at)
    found = {
        "steps": float(steps),
        "steps_per_second": steps / seconds,
        "commits_per_step": totals["commits"] / steps,
        "wal_bytes_per_step": totals["wal_bytes"] / steps,
        **tables.figures(grown(before.tables, after.tables), steps),
    }
    if after.statements:
        found |= statements.figures(grown(before.statements, after.statements), steps)
    for kind in (key.removeprefix("cpu.") for key in totals if key.startswith("cpu.")):
        found[f"{kind}_cpu_ms_per_step"] = totals[f"cpu.{kind}"] * 1000 / steps
    return named(name, found)


def listings_between(title: str, before: Look, after: Look) -> list[Listing]:
    """Return statement by statement and table by table what one step cost."""
    steps = steps_between(before, after)
    written = tables.listing(title, grown(before.tables, after.tables), steps)
    if after.statements:
        told = statements.listing(title, grown(before.statements, after.statements), steps)
    else:
        told = functions.listing(title, grown(before.functions, after.functions), steps)
    return [told, written]
