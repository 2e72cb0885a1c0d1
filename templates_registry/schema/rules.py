"""Rules that a template's steps obey together: names, graph, types, events.

They work on outlines, the few facts of each step that the rules need, taken from data that may be
broken elsewhere: so a wrong number in one step does not hide a cycle among the others.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from templates_registry import dag
from templates_registry.errors import Finding, finding
from templates_registry.schema.paths import Location, path_text

_INSTANCE = re.compile(r"(.+)_[0-9]+", re.ASCII | re.DOTALL)
MAX_BATCH_WORKER_NAME = 63


class Outline(NamedTuple):
    """What the rules know of a step."""

    number: int
    name: str
    type: str
    dependencies: list[tuple[int, str]]  # position as written, name
    worker_template: str | None
    events: list[tuple[int, str]]
    as_written: Callable[[Location], Location]


Outlines = list[Outline]


def _unchanged(at: Location) -> Location:
    return at


def outline(
    data: dict[str, Any], *, as_written: Callable[[Location], Location] = _unchanged
) -> Outlines:
    """Return the outlines of the steps that have a name."""
    steps = data.get("steps")
    found = []
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        name = step.get("name") if isinstance(step, dict) else None
        if not isinstance(name, str):
            continue
        kind, batch = step.get("type", "standard"), step.get("batch_config")
        worker = batch.get("worker_template") if isinstance(batch, dict) else None
        events = [
            event.get("name") if isinstance(event, dict) else None
            for event in _list(step.get("publishes_events"))
        ]
        found.append(
            Outline(
                index,
                name,
                kind if isinstance(kind, str) else "standard",
                _texts(step.get("dependencies")),
                worker if isinstance(worker, str) else None,
                _texts(events),
                as_written,
            )
        )
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[tuple[int, str]]:
    return [(n, each) for n, each in enumerate(_list(value)) if isinstance(each, str)]


def graph_of(steps: Outlines) -> dict[str, list[str]]:
    """Return the graph without edges to the step itself or to unknown steps."""
    names = {step.name for step in steps}
    graph: dict[str, list[str]] = {}
    for step in steps:
        wanted = [name for _, name in step.dependencies if name in names and name != step.name]
        graph.setdefault(step.name, []).extend(wanted)
    return graph


def check_steps(steps: Outlines, *, max_steps: int) -> list[Finding]:
    """Return what is wrong with the steps as a whole."""
    if len(steps) > max_steps:
        text = f"{len(steps)} steps; the setting max_steps_per_task allows {max_steps}."
        return [finding("TOO_MANY_STEPS", text, path="steps")]
    found: list[Finding] = []
    for rule in (_names, _edges, _cycle, _types, _batches, _events, _orphans):
        found += rule(steps)
    return found


def _of(step: Outline, code: str, message: str, *below: str | int) -> Finding:
    at = step.as_written(("steps", step.number, *below))
    return finding(code, message, path=path_text(at), step=step.name)


def _names(steps: Outlines) -> Iterator[Finding]:
    seen: set[str] = set()
    workers = {step.name for step in steps if step.type == "batch_worker"}
    for step in steps:
        if step.name in seen:
            yield _of(step, "DUPLICATE_STEP_NAME", f"{step.name!r} is taken already.", "name")
        seen.add(step.name)
        match = _INSTANCE.fullmatch(step.name)
        if match and match[1] in workers:
            text = f"An instance of the batch worker {match[1]!r} will get the same name."
            yield _of(step, "INSTANCE_NAME_CLASH", text, "name")
        if step.type == "batch_worker" and len(step.name) > MAX_BATCH_WORKER_NAME:
            text = f"At most {MAX_BATCH_WORKER_NAME} characters, since a batch id is appended."
            yield _of(step, "VALUE_OUT_OF_RANGE", text, "name")


def _edges(steps: Outlines) -> Iterator[Finding]:
    names = {step.name for step in steps}
    for step in steps:
        for position, wanted in step.dependencies:
            below = ("dependencies", position)
            if wanted == step.name:
                yield _of(step, "SELF_DEPENDENCY", f"{wanted!r} depends on itself.", *below)
            elif wanted not in names:
                text = f"{step.name!r} depends on {wanted!r}, which is no step of this template."
                yield _of(step, "MISSING_DEP_REF", text, *below)


def _cycle(steps: Outlines) -> Iterator[Finding]:
    if cycle := dag.find_cycle(graph_of(steps)):
        shown = cycle if len(cycle) <= 20 else [*cycle[:10], "...", *cycle[-9:]]
        text = f"These steps wait for each other: {' -> '.join(shown)}."
        first = next(step for step in steps if step.name == cycle[0])
        yield _of(first, "CYCLE_DETECTED", text)


def _types(steps: Outlines) -> Iterator[Finding]:
    codes = {
        "decision": "DECISION_WITHOUT_DEPENDENCY",
        "deferred_convergence": "DEFERRED_WITHOUT_DEPENDENCY",
    }
    for step in steps:
        if step.type in codes and not step.dependencies:
            yield _of(step, codes[step.type], f"A {step.type} step needs a dependency.")


def _batches(steps: Outlines) -> Iterator[Finding]:
    types = {step.name: step.type for step in steps}
    workers = [step for step in steps if step.type == "batch_worker"]
    fed = {name for worker in workers for _, name in worker.dependencies}
    for worker in workers:
        named = worker.worker_template
        if named not in (None, worker.name) and types.get(str(named)) != "batch_worker":
            below = ("batch_config", "worker_template")
            text = f"{named!r} is no batch_worker step of this template."
            yield _of(worker, "UNKNOWN_WORKER_TEMPLATE", text, *below)
        if not any(types.get(name) == "batchable" for _, name in worker.dependencies):
            text = "None of its dependencies is a batchable step, so it is never created."
            yield _of(worker, "BATCH_WORKER_WITHOUT_BATCHABLE", text)
    for step in steps:
        if step.type == "batchable" and step.name not in fed:
            text = "No batch_worker depends on this batchable step."
            yield _of(step, "BATCHABLE_WITHOUT_WORKER", text)


def _events(steps: Outlines) -> Iterator[Finding]:
    for step in steps:
        counts = Counter(name for _, name in step.events)
        for position, name in step.events:
            if counts[name] > 1:
                counts[name] = 0
            elif counts[name] == 0:
                below = ("publishes_events", position, "name")
                text = f"{step.name!r} publishes {name!r} twice."
                yield _of(step, "DUPLICATE_EVENT", text, *below)


def _orphans(steps: Outlines) -> Iterator[Finding]:
    graph = graph_of(steps)
    wanted = {name for parents in graph.values() for name in parents}
    for step in steps if len(steps) > 1 else ():
        if not step.dependencies and step.name not in wanted:
            text = f"{step.name!r} neither depends on a step nor does a step depend on it."
            yield _of(step, "ORPHAN_STEP", text)
