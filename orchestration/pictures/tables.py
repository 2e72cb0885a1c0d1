"""Tables of steps: those of a template (handlers.md 8.2) and those of a task (8.4)."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestration.pictures.categories import steps_that_may_appear
from orchestration.pictures.durations import step_duration
from orchestration.pictures.escaping import markdown_text
from orchestration.pictures.instances import steps_by_template_step
from orchestration.pictures.picture import Category
from orchestration.queries.task_graph import GraphStep, TaskGraph
from templates_registry import dag
from templates_registry.schema import RetryPolicy, StepTemplate, TaskTemplate

MISSING = "\N{EM DASH}"
_TYPE_NAMES = {
    "standard": "Standard",
    "decision": "Decision",
    "deferred_convergence": "DeferredConvergence",
    "batchable": "Batchable",
    "batch_worker": "BatchWorker",
}
_USUAL_RETRY = RetryPolicy()

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Names of columns, and rows of as many texts."""

    header: Row
    rows: tuple[Row, ...]

    def lines(self) -> list[str]:
        """Return the table in markdown."""
        rule = "|".join("-" * (len(name) + 2) for name in self.header)
        return [_line(self.header), f"|{rule}|", *map(_line, self.rows)]


def template_table(template: TaskTemplate) -> Table:
    """Return what the steps of a template do."""
    header = ("Step", "Type", "Handler", "Dependencies", "Schema Fields", "Retry")
    return Table(header, tuple(_template_row(step) for step in in_running_order(template)))


def task_table(graph: TaskGraph, *, base_url: str) -> Table:
    """Return what became of the steps of a task."""
    header = ("Step", "Type", "Handler", "State", "Duration", "Attempts", "Error", "Link")
    existing = steps_by_template_step(graph.steps, graph.template.steps)
    may_appear = steps_that_may_appear(graph)
    link = f"{base_url}/v1/tasks/{graph.task.task_uuid}/workflow_steps"
    rows: list[Row] = []
    for template_step in in_running_order(graph.template):
        steps = existing[template_step.name]
        rows += [
            _step_row(template_step, step, f"[view]({link}/{step.step_uuid})") for step in steps
        ]
        if not steps:
            rows.append(_absent_row(template_step, may_appear=template_step.name in may_appear))
    return Table(header, tuple(rows))


def in_running_order(template: TaskTemplate) -> Iterator[StepTemplate]:
    """Yield every step after its dependencies; steps that become free together by name."""
    children = dag.dependents(template.dependencies())
    missing = {step.name: len(step.dependencies) for step in template.steps}
    free = deque(sorted(name for name, count in missing.items() if not count))
    while free:
        name = free.popleft()
        yield template.step(name)
        for child in children[name]:
            missing[child] -= 1
        free += sorted(child for child in children[name] if not missing[child])


def _template_row(step: StepTemplate) -> Row:
    properties = (step.result_schema or {}).get("properties", {})
    return (
        step.name,
        _TYPE_NAMES[step.type],
        step.handler.callable,
        _listed(step.dependencies),
        _listed(sorted(properties)),
        _retry(step.retry),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or MISSING


def _retry(retry: RetryPolicy) -> str:
    usual = (_USUAL_RETRY.max_attempts, _USUAL_RETRY.backoff)
    if not retry.retryable or (retry.max_attempts, retry.backoff) == usual:
        return MISSING
    return f"{retry.max_attempts}x {retry.backoff}"


def _step_row(template_step: StepTemplate, step: GraphStep, link: str) -> Row:
    return (
        step.name,
        template_step.type,
        template_step.handler.callable,
        step.state,
        step_duration(step) or MISSING,
        f"{step.attempts}/{step.max_attempts}",
        step.error_type or MISSING,
        link,
    )


def _absent_row(step: StepTemplate, *, may_appear: bool) -> Row:
    state = MISSING if may_appear else Category.UNTRAVERSED.value
    return (step.name, step.type, step.handler.callable, state, *[MISSING] * 4)


def _line(row: Row) -> str:
    return f"| {' | '.join(map(markdown_text, row))} |"
