"""The workflows that are measured: shapes of a DAG, registered into the bench database.

Every step calls `bench.nothing`, unless HANDLERS names another. A shape maps each step to the steps
it waits for.
"""

import json
from typing import Any

from tasker_project.bench.errors import BenchError
from templates_registry import registry

NAMESPACE = "bench"
Shape = dict[str, list[str]]


def fan_out(width: int) -> Shape:
    """Return one step, many beside one another after it, and one after all of them."""
    branches = [f"branch_{i}" for i in range(1, width + 1)]
    return {"start": [], **{branch: ["start"] for branch in branches}, "join": branches}


def linear(steps: int) -> Shape:
    """Return a chain."""
    return {f"step_{i}": [f"step_{i - 1}"] if i > 1 else [] for i in range(1, steps + 1)}


def layered(steps: int, width: int = 100) -> Shape:
    """Return layers that can run side by side; each step waits for two of the layer before."""
    return {f"step_{i + 1}": [f"step_{j + 1}" for j in _parents(i, width)] for i in range(steps)}


def _parents(step: int, width: int) -> list[int]:
    """Return the two steps of the layer before: the one above, and that one's neighbour."""
    first, place = step - step % width - width, step % width
    return [] if first < 0 else sorted({first + place, first + (place + 1) % width})


SHAPES: dict[str, Shape] = {
    "linear4": linear(4),
    "linear50": linear(50),
    "diamond4": {"start": [], "left": ["start"], "right": ["start"], "join": ["left", "right"]},
    "tree8": {
        "root": [],
        "left": ["root"],
        "right": ["root"],
        "left_1": ["left"],
        "left_2": ["left"],
        "right_1": ["right"],
        "right_2": ["right"],
        "join": ["left_1", "left_2", "right_1", "right_2"],
    },
    "dag7": {
        "start": [],
        "left": ["start"],
        "right": ["start"],
        "check": ["left", "right"],
        "left_end": ["left"],
        "right_end": ["right"],
        "join": ["check", "left_end", "right_end"],
    },
    "fanout20": fan_out(20),
    "hold1": linear(1),
    "retry1": linear(1),
    "sleep4": linear(4),
}
HANDLERS = {"hold1": "bench.hold", "retry1": "bench.fail_once", "sleep4": "bench.sleep"}


def register_shapes() -> None:
    """Register the template of every shape."""
    for name, shape in SHAPES.items():
        register_shape(name, shape)


def register_shape(name: str, shape: Shape) -> None:
    """Register the template of one shape."""
    handler = HANDLERS.get(name, "bench.nothing")
    _register(name, [_step(step, waits_for, handler) for step, waits_for in shape.items()])


def register_batch(name: str) -> None:
    """Register a template whose first step asks for as many batches as the context says."""
    split = _step("split", [], "bench.split") | {"type": "batchable"}
    work = _step("work", ["split"], "bench.nothing") | {"type": "batch_worker"}
    join = _step("join", ["work"], "bench.nothing") | {"type": "deferred_convergence"}
    _register(name, [split, work, join])


def _step(name: str, waits_for: list[str], handler: str) -> dict[str, Any]:
    return {"name": name, "handler": {"callable": handler}, "dependencies": waits_for}


def _register(name: str, steps: list[dict[str, Any]]) -> None:
    """Register a template, written as JSON, which is YAML too."""
    template = {"name": name, "namespace_name": NAMESPACE, "version": "1.0.0", "steps": steps}
    done = registry.register(registry.load_text(json.dumps(template)))
    if done.outcome is registry.Outcome.REJECTED:
        raise BenchError(f"The template of '{NAMESPACE}/{name}' was refused: {done.message}")
