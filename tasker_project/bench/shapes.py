"""The workflows that are measured: shapes of a DAG, registered into the bench database.

Every step calls `bench.nothing`, unless HANDLERS names another. A shape maps each step to the steps
it waits for.
"""

import json

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
}
HANDLERS = {"hold1": "bench.hold", "retry1": "bench.fail_once"}


def register_shapes() -> None:
    """Register the template of every shape."""
    for name, shape in SHAPES.items():
        register_shape(name, shape)


def register_shape(name: str, shape: Shape) -> None:
    """Register the template of one shape."""
    done = registry.register(registry.load_text(_document(name, shape)))
    if done.outcome is registry.Outcome.REJECTED:
        raise BenchError(f"The template of '{NAMESPACE}/{name}' was refused: {done.message}")


def _document(name: str, shape: Shape) -> str:
    """Return the template as JSON, which is YAML too."""
    handler = {"callable": HANDLERS.get(name, "bench.nothing")}
    steps = [
        {"name": step, "handler": handler, "dependencies": waits_for}
        for step, waits_for in shape.items()
    ]
    template = {"name": name, "namespace_name": NAMESPACE, "version": "1.0.0", "steps": steps}
    return json.dumps(template)
