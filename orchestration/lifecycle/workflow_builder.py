"""The steps and edges that a task starts with, made once per template revision.

A blueprint is the JSON text that the creating statement takes: what steers the engine is copied
from the template onto each step, the rest is read from the revision when a worker claims the step.
"""

import json
from typing import Any, NamedTuple

from orchestration.errors import InvalidRequestError
from templates_registry.schema import StepTemplate, TaskTemplate

REVISIONS_KEPT = 1000
_kept: "dict[str, Blueprint]" = {}
DYNAMIC_TYPES = frozenset({"decision", "deferred_convergence", "batchable", "batch_worker"})


class Blueprint(NamedTuple):
    """What a new task of one template revision starts with."""

    steps: str
    edges: str
    step_names: frozenset[str]


def blueprint(digest: str, template: TaskTemplate) -> Blueprint:
    """Return the blueprint of a revision; kept by digest."""
    kept = _kept.get(digest)
    if kept is None:
        kept = _kept[digest] = build(template)
        if len(_kept) > REVISIONS_KEPT:
            del _kept[next(iter(_kept))]
    return kept


def build(template: TaskTemplate) -> Blueprint:
    """Make the blueprint of a template.

    Raises `InvalidRequestError` for a template with decisions or batches: they cannot run yet.
    """
    dynamic = [step.name for step in template.steps if step.type in DYNAMIC_TYPES]
    if dynamic:
        raise InvalidRequestError(
            f"Cannot create a task of '{template}': decisions and batches are not supported by "
            f"this version (steps {', '.join(dynamic)})"
        )
    initial = template.initial_steps()
    names = frozenset(step.name for step in initial)
    edges = [
        [parent, step.name] for step in initial for parent in step.dependencies if parent in names
    ]
    return Blueprint(json.dumps([_columns(step) for step in initial]), json.dumps(edges), names)


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
