"""Which steps of a task stand for which step of its template."""

from collections.abc import Iterable

from orchestration.queries.task_graph import GraphStep
from templates_registry.schema import StepTemplate

StepsOf = dict[str, list[GraphStep]]


def steps_by_template_step(
    steps: Iterable[GraphStep], template_steps: Iterable[StepTemplate]
) -> StepsOf:
    """Return the existing steps, by name, under the name of their template step."""
    found: StepsOf = {step.name: [] for step in template_steps}
    for step in sorted(steps, key=lambda each: each.name):
        found.setdefault(_template_name(step), []).append(step)
    return found


def _template_name(step: GraphStep) -> str:
    """Return the name without the batch id that an instance of a batch worker has at its end."""
    if step.step_type == "batch_worker" and step.batch_id is not None:
        return step.name.removesuffix(f"_{step.batch_id}")
    return step.name
