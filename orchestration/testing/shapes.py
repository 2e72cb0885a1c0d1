"""Shapes: templates of any graph whose steps call the built-in handlers of `workers.testing`.

A shape is a `TaskTemplate`. Its callables, `test.echo` and its siblings, are found by `run_inline`
without more; a worker process gets them with `--handlers=workers.testing.built_in`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from templates_registry.schema import TaskTemplate

ECHO = {"callable": "test.echo"}
FAIL_PERMANENT = {"callable": "test.fail_permanent"}
NAMESPACE = "test"
ITEMS_PER_BATCH = 10
Steps = Mapping[str, Mapping[str, Any]]


def fail_times(times: int) -> dict[str, Any]:
    """Return the handler that fails that many attempts retryably, then succeeds."""
    return {"callable": "test.fail_times", "initialization": {"times": times}}


def shape(
    name: str,
    dependencies: Mapping[str, Iterable[str]],
    *,
    steps: Steps | None = None,
    namespace: str = NAMESPACE,
    **template: Any,
) -> TaskTemplate:
    """Return a template of any graph: step → parents. `steps` says more about single steps.

    What a step says about itself goes before the default handler `test.echo`; further keywords are
    keys of the template.
    """
    said = dict(steps or {})
    if unknown := set(said) - set(dependencies):
        raise ValueError(f"Shape '{name}' has no step {', '.join(sorted(unknown))}")
    listed = [
        {"name": step, "handler": ECHO, "dependencies": list(parents), **said.get(step, {})}
        for step, parents in dependencies.items()
    ]
    return TaskTemplate.model_validate(
        {"name": name, "namespace_name": namespace, "version": "1.0.0", "steps": listed} | template
    )


def linear(length: int = 4, **rest: Any) -> TaskTemplate:
    """Return a chain: step_1 → step_2 → …"""
    graph = {f"step_{n}": [f"step_{n - 1}"] if n > 1 else [] for n in range(1, length + 1)}
    return shape(rest.pop("name", f"linear_{length}"), graph, **rest)


def diamond(**rest: Any) -> TaskTemplate:
    """Return start → left and right → join."""
    graph = {"start": [], "left": ["start"], "right": ["start"], "join": ["left", "right"]}
    return shape(rest.pop("name", "diamond"), graph, **rest)


def tree(depth: int = 3, **rest: Any) -> TaskTemplate:
    """Return a binary tree of `depth` levels whose leaves meet again: 1-2-4-1 for three.

    Nodes are numbered level by level: node_1 is the root, node_n has node_2n and node_2n+1.
    """
    nodes = range(1, 2**depth)
    graph: dict[str, list[str]] = {f"node_{n}": [f"node_{n // 2}"] if n > 1 else [] for n in nodes}
    graph["converge"] = [f"node_{n}" for n in nodes if 2 * n not in nodes]
    return shape(rest.pop("name", f"tree_{depth}"), graph, **rest)


def dag(**rest: Any) -> TaskTemplate:
    """Return seven steps with a join, two single children and a join of three."""
    graph = {
        "init": [],
        "left": ["init"],
        "right": ["init"],
        "validate": ["left", "right"],
        "transform": ["left"],
        "analyze": ["right"],
        "finalize": ["validate", "transform", "analyze"],
    }
    return shape(rest.pop("name", "dag"), graph, **rest)


def fan_in(width: int = 3, **rest: Any) -> TaskTemplate:
    """Return `width` roots that one join waits for."""
    graph: dict[str, list[str]] = {f"root_{n}": [] for n in range(1, width + 1)}
    graph["join"] = list(graph)
    return shape(rest.pop("name", f"fan_in_{width}"), graph, **rest)


def decision(branches: int = 2, **rest: Any) -> TaskTemplate:
    """Return start → decide → branch_1, branch_2, … → join, which waits for those that were taken.

    The input `branches` names the branches to take, by default all; an empty list takes none.
    """
    names = [f"branch_{n}" for n in range(1, branches + 1)]
    graph = {"start": [], "decide": ["start"], **{name: ["decide"] for name in names}}
    graph["join"] = names
    steps: Steps = {
        "decide": {
            "type": "decision",
            "handler": {"callable": "test.decide", "initialization": {"branches": names}},
        },
        "join": {"type": "deferred_convergence"},
    }
    return shape(rest.pop("name", f"decision_{branches}"), graph, **_with_steps(steps, rest))


def batch(batches: int = 3, **rest: Any) -> TaskTemplate:
    """Return split → work_001, work_002, … → collect: every instance adds up its ten items.

    The input `total_items` gives another number of items; none of them leaves a placeholder.
    """
    graph = {"split": [], "work": ["split"], "collect": ["work"]}
    initialization = {
        "worker_template_name": "work",
        "total_items": batches * ITEMS_PER_BATCH,
        "batch_size": ITEMS_PER_BATCH,
    }
    steps: Steps = {
        "split": {
            "type": "batchable",
            "handler": {"callable": "test.split", "initialization": initialization},
        },
        "work": {"type": "batch_worker", "handler": {"callable": "test.add_up"}},
        "collect": {"type": "deferred_convergence"},
    }
    return shape(rest.pop("name", f"batch_{batches}"), graph, **_with_steps(steps, rest))


def _with_steps(steps: Steps, rest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords of a shape whose steps say something, and the caller more."""
    said = dict(rest.get("steps") or {})
    names = dict.fromkeys([*steps, *said])
    merged = {name: {**steps.get(name, {}), **said.get(name, {})} for name in names}
    return {**rest, "steps": merged}
