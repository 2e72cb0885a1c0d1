"""Checks a template that somebody sends: the findings of the registry, and who could run its steps.

Nothing is registered, and nothing that the text names is imported: callables are compared with what
the live workers of its namespace have registered.
"""

from collections.abc import Iterable, Iterator

from orchestration.errors import InvalidRequestError, Problem
from orchestration.queries.live_handlers import Service, missing_callables
from templates_registry.errors import Finding, finding
from templates_registry.schema import Inspected, Report, TaskTemplate, inspect_data, inspect_text


def check_template(given: object, services: Iterable[Service]) -> Report:
    """Return the report about a template given as an object or as YAML text."""
    if isinstance(given, str):
        found = _only(inspect_text(given, single=True))
    elif isinstance(given, dict):
        found = inspect_data(given)
    else:
        problem = Problem("template", "must be an object or a YAML text")
        raise InvalidRequestError("There is no template to check", problems=[problem])
    if found.template is None:
        return found.report
    more = _unresolved(found.template, services)
    return Report((*found.report.findings, *more), found.report.step_count)


def _only(found: list[Inspected]) -> Inspected:
    """Return the one template of a text; none or several are a finding."""
    if len(found) == 1:
        return found[0]
    text = f"One template is wanted, {len(found)} found."
    return Inspected(None, Report((finding("NOT_A_MAPPING", text),)))


def _unresolved(template: TaskTemplate, services: Iterable[Service]) -> Iterator[Finding]:
    """Yield a warning for each step whose callable no live worker of the namespace has."""
    missing = missing_callables(template.namespace_name, template.all_callables(), services)
    for index, step in enumerate(template.steps):
        if missing is not None and step.handler.callable in missing:
            yield finding(
                "UNRESOLVED_HANDLER",
                f"No live worker of '{template.namespace_name}' has the handler "
                f"{step.handler.callable!r}.",
                path=f"steps[{index}].handler.callable",
                step=step.name,
            )
