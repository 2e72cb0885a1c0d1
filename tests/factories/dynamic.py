"""Templates with decisions and batches, their outcomes, and what a task has become of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from orchestration.models import WorkflowStep, WorkflowStepEdge
from orchestration.testing import shape
from templates_registry.schema import TaskTemplate

KINDS = {
    "?": "decision",
    "+": "deferred_convergence",
    "*": "batchable",
    "#": "batch_worker",
}


def dynamic(
    name: str, graph: str, *, steps: Mapping[str, Mapping[str, Any]] | None = None, **rest: Any
) -> TaskTemplate:
    """Return a template written as `step < parents; …`.

    The first letter tells the type: ? decision, + convergence, * batchable, # batch worker.
    """
    parents: dict[str, list[str]] = {}
    said: dict[str, dict[str, Any]] = {}
    for part in graph.split(";"):
        written, _, wanted = part.partition("<")
        step = written.strip().lstrip("".join(KINDS))
        parents[step] = wanted.split()
        if kind := KINDS.get(written.strip()[0]):
            said[step] = {"type": kind}
    for step, more in (steps or {}).items():
        said[step] = said.get(step, {}) | dict(more)
    return shape(name, parents, steps=said, **rest)


def approval(**rest: Any) -> TaskTemplate:
    """Return validate → decide → small, medium, large → finish."""
    graph = "validate; ?decide < validate; small < decide; medium < decide; large < decide;"
    return dynamic("approval", f"{graph} +finish < small medium large", **rest)


def batched(*, placeholder: bool = False, **rest: Any) -> TaskTemplate:
    """Return analyse → work, one instance per batch → aggregate."""
    config = {"worker_template_name": "work"} if placeholder else {}
    steps = rest.pop("steps", {})
    analyser = {"handler": {"callable": "test.echo", "initialization": config}}
    steps["analyse"] = analyser | steps.get("analyse", {})
    return dynamic("batched", "*analyse; #work < analyse; +aggregate < work", steps=steps, **rest)


def route(*names: Any) -> dict[str, Any]:
    """Return the result of a decision that names steps."""
    return {"decision_point_outcome": {"type": "create_steps", "step_names": list(names)}}


NO_BRANCHES = {"decision_point_outcome": {"type": "no_branches"}}
NO_BATCHES = {"batch_processing_outcome": {"type": "no_batches"}}


def split(*batch_ids: Any, worker: str = "work", **more: Any) -> dict[str, Any]:
    """Return the result of an analyser that wants one batch per id."""
    cursors = [
        {"batch_id": each, "start_cursor": n * 10, "end_cursor": n * 10 + 10, "batch_size": 10}
        for n, each in enumerate(batch_ids)
    ]
    outcome = {
        "type": "create_batches",
        "worker_template_name": worker,
        "worker_count": len(cursors),
        "cursor_configs": cursors,
        "total_items": 10 * len(cursors),
    }
    return {"batch_processing_outcome": outcome | more}


def names(task_uuid: UUID) -> set[str]:
    """Return the names of a task's steps."""
    return set(WorkflowStep.objects.filter(task_id=task_uuid).values_list("name", flat=True))


def parents(task_uuid: UUID, child: str) -> dict[str, str]:
    """Return the parents of a step with the names of the edges that lead from them."""
    edges = WorkflowStepEdge.objects.filter(to_step__task_id=task_uuid, to_step__name=child)
    return dict(edges.values_list("from_step__name", "name"))
