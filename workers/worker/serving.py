"""Which namespaces this worker serves: those whose handlers it has.

Named on the command line or by setting, a namespace must be complete: a callable that does not
resolve is refused. Named by nobody, every namespace is served all of whose active templates resolve
here; the others are logged with the reason.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orchestration.runtime.startup import BadConfiguration
from templates_registry import registry
from templates_registry.errors import TemplateError
from templates_registry.models import NamedTask, TaskNamespace
from templates_registry.schema import TaskTemplate
from workers.conf import worker_settings
from workers.domain_events import discovery as domain_events
from workers.registry import (
    HandlerDefinition,
    HandlerRegistry,
    initialization_problem,
    unresolved_steps,
)

log = logging.getLogger(__name__)
MAX_REASONS = 5


def sync_templates() -> None:
    """Register the template files; one with errors is reported and left out."""
    for result in registry.sync().results:
        if result.outcome in (registry.Outcome.REJECTED, registry.Outcome.CONFLICT):
            log.error(
                "template.left_out",
                extra={
                    "template": result.template,
                    "sources": list(result.sources),
                    "error": result.message,
                    "findings": [str(each) for each in result.findings if each.is_error],
                },
            )


def load_handlers(modules: Iterable[str] = ()) -> HandlerRegistry:
    """Discover the handlers of the installed apps and of these modules.

    Raises BadConfiguration for a module that cannot be imported, and for two handlers of one name.
    """
    handlers = HandlerRegistry.instance()
    for module in modules:
        handlers.discover_handlers(module)
        if why := handlers.import_failures.get(module):
            raise BadConfiguration(f"Handlers of '{module}' cannot be imported: {why}")
    if handlers.conflicts:
        name, first, second = handlers.conflicts[0]
        raise BadConfiguration(
            f"Two handlers are called '{name}': {first} and {second}. Rename one of them."
        )
    return handlers


def load_domain_events() -> None:
    """Discover publishers and subscribers of the installed apps; raises BadConfiguration."""
    try:
        found = domain_events.discover()
    except Exception as error:
        log.exception("domain_event.import_failed")
        raise BadConfiguration(
            f"The domain_events module of an app cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error
    log.info("domain_events.discovered", extra=found._asdict())


def choose_namespaces(wanted: Sequence[str]) -> list[str]:
    """Return the namespaces to serve; raises BadConfiguration when there is none."""
    wanted = wanted or worker_settings().worker_namespaces
    if wanted:
        return _checked(wanted)
    problems = {name: unresolved_callables(name) for name in _namespaces_with_templates()}
    served = [name for name, missing in problems.items() if not missing]
    for name, missing in problems.items():
        if missing:
            log.warning("namespace.not_served", extra={"namespace": name, "because": missing})
    if not served:
        raise BadConfiguration(f"There is nothing to serve. {_explain(problems)}")
    return served


def unresolved_callables(namespace: str) -> list[str]:
    """Return why handlers of a namespace's active templates do not resolve, empty if all do."""
    reasons: dict[str, None] = {}
    for name, version in _active_templates(namespace):
        found = registry.find(namespace, name, version)
        reasons |= dict.fromkeys(_unresolved(found.template))
    return list(reasons)


def warn_of_initializations(namespaces: Iterable[str]) -> None:
    """Log what templates give their handlers that these do not ask for; handlers resolve."""
    handlers = HandlerRegistry.instance()
    for namespace in namespaces:
        for name, version in _active_templates(namespace):
            for step in registry.find(namespace, name, version).template.steps:
                definition = HandlerDefinition.from_step(step)
                why = initialization_problem(handlers.resolve(definition), definition)
                if why is not None:
                    about = {"template": f"{namespace}/{name}@{version}", "step": step.name}
                    log.warning("handler.initialization_mismatch", extra={**about, "why": why})


class Served(NamedTuple):
    """What the active templates of some namespaces ask of a worker, and what is wrong with them."""

    templates: int
    unreadable: int
    unresolved: int
    longest_timeout_seconds: int


def look_at(namespaces: Iterable[str]) -> Served:
    """Read the active templates of these namespaces and resolve their handlers."""
    longest = worker_settings().default_step_timeout_seconds
    templates = unreadable = unresolved = 0
    for namespace in namespaces:
        for name, version in _active_templates(namespace):
            templates += 1
            try:
                template = registry.find(namespace, name, version).template
            except (TemplateError, ValueError) as error:
                unreadable += 1
                log.error(
                    "template.unreadable",
                    extra={"template": f"{namespace}/{name}@{version}", "error": str(error)},
                )
                continue
            unresolved += len(_unresolved(template))
            longest = max(longest, *(step.timeout_seconds or 0 for step in template.steps))
    return Served(templates, unreadable, unresolved, longest)


def _unresolved(template: TaskTemplate) -> list[str]:
    return [
        f"{template.name}@{template.version}, step {each.step.name}: {each.error}"
        for each in unresolved_steps(template, HandlerRegistry.instance())
    ]


def _checked(wanted: Sequence[str]) -> list[str]:
    known = set(TaskNamespace.objects.filter(name__in=wanted).values_list("name", flat=True))
    if unknown := [name for name in wanted if name not in known]:
        raise BadConfiguration(
            f"Namespace '{unknown[0]}' has no registered template; run sync_templates, or name "
            f"another one. Known: {', '.join(_namespaces_with_templates()) or 'none'}."
        )
    for name in wanted:
        if missing := unresolved_callables(name):
            raise BadConfiguration(
                f"Namespace '{name}' cannot be served, handlers do not resolve: "
                f"{'; '.join(missing[:MAX_REASONS])}"
            )
    return list(dict.fromkeys(wanted))


def _explain(problems: dict[str, list[str]]) -> str:
    if not problems:
        return "No template is registered; add a template and run sync_templates."
    reasons = [f"{name}: {missing[0]}" for name, missing in problems.items()]
    return f"Handlers do not resolve: {'; '.join(reasons[:MAX_REASONS])}"


def _namespaces_with_templates() -> list[str]:
    rows = NamedTask.objects.filter(retired_at__isnull=True)
    names = rows.values_list("task_namespace__name", flat=True).distinct()
    return sorted(names)


def _active_templates(namespace: str) -> Iterable[tuple[str, str]]:
    rows = NamedTask.objects.filter(retired_at__isnull=True, task_namespace__name=namespace)
    return rows.order_by("name", "version").values_list("name", "version")
