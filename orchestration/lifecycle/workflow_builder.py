"""The rows of steps and edges, from a template: those a task starts with, those it gets later.

A blueprint, made once per template revision, is the JSON text that the creating statement takes:
what steers the engine is copied from the template onto each step, the rest is read from the
revision when a worker claims the step. Which steps are added later says `closure`; here they get
their rows.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from orchestration.lifecycle.closure import Growth
from orchestration.queries.outcomes import NewSteps
from templates_registry.schema import StepTemplate, TaskTemplate, validator_of

REVISIONS_KEPT = 1000
_kept: "dict[str, Blueprint]" = {}


class Blueprint(NamedTuple):
    """What a new task of one template revision starts with, and what its context has to be like.

    `parents`: the steps in their order, each with those that it waits for. Edges are pairs of
    places in that order, from 1.
    """

    steps: str
    edges: str
    parents: Mapping[str, Collection[str]]
    root_count: int
    input_validator: Any  # a validator of jsonschema, None without a schema

    def count_ready(self, bypassed: Collection[str]) -> int:
        """Return how many steps can be enqueued at once when those have been bypassed."""
        if not bypassed:
            return self.root_count
        left = (each for name, each in self.parents.items() if name not in bypassed)
        return sum(all(parent in bypassed for parent in parents) for parents in left)


def blueprint(digest: str, template: TaskTemplate) -> Blueprint:
    """Return the blueprint of a revision; kept by digest."""
    kept = _kept.get(digest)
    if kept is None:
        kept = _kept[digest] = build(template)
        if len(_kept) > REVISIONS_KEPT:
            del _kept[next(iter(_kept))]
    return kept


def build(template: TaskTemplate) -> Blueprint:
    """Make the blueprint of a template."""
    initial = template.initial_steps()
    places = {step.name: place for place, step in enumerate(initial, 1)}
    parents = {step.name: [p for p in step.dependencies if p in places] for step in initial}
    edges = [[places[p], places[name]] for name, before in parents.items() for p in before]
    schema = template.input_schema
    return Blueprint(
        json.dumps(
            [
                _columns(step)
                | {"system": template.system_of(step), "is_root": not parents[step.name]}
                for step in initial
            ]
        ),
        json.dumps(edges),
        parents,
        sum(not before for before in parents.values()),
        None if schema is None else validator_of(schema),
    )


class Instance(NamedTuple):
    """One batch: a step of a batch worker, with what distinguishes it from its siblings."""

    name: str
    batch_id: str
    batch_index: int
    batch_count: int
    inputs: dict[str, Any]


class Batches(NamedTuple):
    """The instances of one batch worker; `is_no_op` for the placeholder of an empty data set."""

    worker: str
    instances: list[Instance]
    is_no_op: bool = False


def extension(template: TaskTemplate, growth: Growth, batches: Batches | None = None) -> NewSteps:
    """Return the rows of what a task is to get; a batch worker has one for each of its batches."""
    added = [template.step(name) for name in growth.steps]
    return NewSteps(
        [_columns(step) | {"system": template.system_of(step)} for step in added],
        [row for step in added for row in _rows(step, batches)],
        list(growth.edges),
    )


def _rows(step: StepTemplate, batches: Batches | None) -> list[dict[str, Any]]:
    if batches is None or step.name != batches.worker:
        return [{"template_step": step.name, "name": step.name}]
    return [{"template_step": step.name, **each._asdict()} for each in batches.instances]


def _columns(step: StepTemplate) -> dict[str, Any]:
    return {
        "name": step.name,
        "step_type": step.type,
        "retryable": step.retry.retryable,
        "max_attempts": step.retry.max_attempts,
        "backoff_strategy": step.retry.backoff,
        "backoff_base_ms": step.retry.backoff_base_ms,
        "max_backoff_ms": step.retry.max_backoff_ms,
        "timeout_seconds": step.timeout_seconds,
        "inputs": step.handler.initialization or None,
    }
