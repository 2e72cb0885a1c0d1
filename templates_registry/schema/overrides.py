"""Environment overrides: what a template is in one environment.

Entries apply in their listed order and a later one wins key by key; `ALL` stands for every step at
its place in the list. Null and unknown step names change nothing. The result has no overrides any
more: it is the content of a revision.

A few lines can change thousands of steps for each of thousands of environments: `resolved_size`
tells how much that makes, so that it can be refused before anything is resolved.
"""

from typing import Any

from templates_registry.schema.sizes import count_values
from templates_registry.schema.template import StepOverride, StepTemplate, TaskTemplate

ALL = "ALL"


def resolve(template: TaskTemplate, environment: str) -> TaskTemplate:
    """Return the template as it is in an environment, with its overrides applied."""
    overrides = template.environments.get(environment)
    steps = {step.name: step for step in template.steps}
    for override in overrides.steps if overrides else ():
        names = steps if override.name == ALL else {override.name} & steps.keys()
        for name in names:
            steps[name] = _overridden(steps[name], override)
    return template.with_steps(list(steps.values()))


def resolved_size(template: TaskTemplate) -> int:
    """Return how many values are touched to resolve the template for all of its environments."""
    steps = len(template.steps)
    return sum(
        steps + sum(_weight(override, steps) for override in overrides.steps)
        for overrides in template.environments.values()
    )


def _weight(override: StepOverride, steps: int) -> int:
    values = count_values(override.handler.initialization) if override.handler else 1
    return values * (steps if override.name == ALL else 1)


def _overridden(step: StepTemplate, override: StepOverride) -> StepTemplate:
    changes: dict[str, Any] = {}
    if override.timeout_seconds is not None:
        changes["timeout_seconds"] = override.timeout_seconds
    if override.retry is not None:
        changed = override.retry.model_dump(exclude_none=True)
        changes["retry"] = step.retry.model_copy(update=changed)
    if override.handler is not None:
        given = override.handler.initialization
        merged = step.handler.initialization | {k: v for k, v in given.items() if v is not None}
        changes["handler"] = step.handler.model_copy(update={"initialization": merged})
    return step.model_copy(update=changes)
