"""Which steps a task gets when a decision or batchable step has finished (engine.md 10.1).

Pure: from a template and what a task has of it to the steps and edges to add. It knows neither
outcomes (decision_point, batch_processor) nor rows (workflow_builder). A decision or batchable step
is called a *gate* here: what stands behind it appears only when it has spoken.

Why one pass in running order: whether a step may still appear depends on gates upstream of it, and
all of those are settled before it is looked at. In another order, a convergence could be added
before the decision that it has to wait for.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from templates_registry.schema import StepTemplate, TaskTemplate

GATE_TYPES = frozenset({"decision", "batchable"})
PROVIDES = "provides"
FROM_BATCH_WORKER = "worker_to_convergence"
TO_BATCH_WORKER = "batch_dependency"


class Present(NamedTuple):
    """What a task has of one template step: one step, of a batch worker one for each batch.

    `is_dynamic`: created by a gate, not together with the task. `is_done`: complete or resolved.
    """

    is_dynamic: bool
    is_done: bool


class Edge(NamedTuple):
    """From a parent to a child, by template steps; a batch worker stands for all its instances."""

    parent: str
    child: str
    name: str = PROVIDES


class Growth(NamedTuple):
    """What to add to a task: template steps, each behind its parents, and the edges into them."""

    steps: tuple[str, ...]
    edges: tuple[Edge, ...]


def grow(
    template: TaskTemplate,
    present: Mapping[str, Present],
    *,
    finished: str,
    started: Collection[str] = (),
) -> Growth:
    """Return what to add now that the gate `finished` has spoken and wants `started` to exist.

    `present` shows the finished gate as done. A step in `started` that exists is left alone, but
    for a batch worker, which gets further instances.
    """
    task = _Task(template, present, finished)
    added = [step for step in template.running_order if task.takes(step, started)]
    edges = [edge for step in added for edge in task.edges_into(step)]
    return Growth(tuple(step.name for step in added), tuple(dict.fromkeys(edges)))


class _Task:
    """A task that grows while its template's steps are looked at in running order."""

    def __init__(
        self, template: TaskTemplate, present: Mapping[str, Present], finished: str
    ) -> None:
        self._types = {step.name: step.type for step in template.steps}
        self._there = dict(present)
        self._finished = finished
        self._downstream: set[str] = set()  # of the finished gate
        self._behind_gates: set[str] = set()  # downstream of a gate that has yet to speak

    def takes(self, step: StepTemplate, started: Collection[str]) -> bool:
        """Look at a step, and add it if it is wanted or follows from what is there."""
        self._look_at(step)
        if step.name in started:
            is_added = step.name not in self._there or step.type == "batch_worker"
        else:
            is_added = step.name not in self._there and self._follows(step)
        if is_added:
            self._there[step.name] = Present(is_dynamic=True, is_done=False)
        return is_added

    def _look_at(self, step: StepTemplate) -> None:
        for parent in step.dependencies:
            if parent == self._finished or parent in self._downstream:
                self._downstream.add(step.name)
            if parent in self._behind_gates or self._is_silent_gate(parent):
                self._behind_gates.add(step.name)

    def _is_silent_gate(self, name: str) -> bool:
        there = self._there.get(name)
        return self._types[name] in GATE_TYPES and there is not None and not there.is_done

    def _follows(self, step: StepTemplate) -> bool:
        """Tell whether a step appears without being named."""
        if step.type == "batch_worker" or step.name not in self._downstream:
            return False
        if any(map(self._is_open, step.dependencies)):
            return False
        if step.type != "deferred_convergence" and self._is_a_branch(step):
            return False
        return any(
            name in self._there and self._there[name].is_dynamic for name in step.dependencies
        )

    def _is_a_branch(self, step: StepTemplate) -> bool:
        """Tell whether a step depends directly on a decision: then only a name brings it."""
        return any(self._types[name] == "decision" for name in step.dependencies)

    def _is_open(self, name: str) -> bool:
        """Tell whether a step may still appear; of a batch worker, whether further ones may."""
        is_settled = name in self._there and self._types[name] != "batch_worker"
        return not is_settled and name in self._behind_gates

    def edges_into(self, step: StepTemplate) -> Iterator[Edge]:
        """Yield the edges of an added step, once everything before it is settled.

        A convergence waits for those of its dependencies that are there. Any other step waits for
        the finished gate in place of a dependency that is missing; a batch always waits for it.
        """
        if step.type == "batch_worker":
            yield Edge(self._finished, step.name, TO_BATCH_WORKER)
        for parent in step.dependencies:
            if step.type == "batch_worker" and parent == self._finished:
                continue
            if parent in self._there:
                is_worker = self._types[parent] == "batch_worker"
                yield Edge(parent, step.name, FROM_BATCH_WORKER if is_worker else PROVIDES)
            elif step.type not in ("deferred_convergence", "batch_worker"):
                yield Edge(self._finished, step.name)
