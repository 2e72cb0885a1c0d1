"""The templates that a worker serves, and whether their handlers are here (§1.13)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from orchestration.errors import NotFoundError
from orchestration.queries.scope import Scope
from templates_registry import registry
from templates_registry.errors import TemplateNotFound
from templates_registry.models import NamedTask, TaskNamespace
from templates_registry.schema import StepTemplate, canonical
from workers.registry import HandlerDefinition, HandlerRegistry, ResolutionError


def templates(namespaces: Sequence[str], scope: Scope) -> dict[str, Any]:
    """Return the active templates of the served namespaces that the reader sees."""
    seen = sorted(name for name in namespaces if scope.includes(name))
    rows = NamedTask.objects.filter(retired_at__isnull=True, task_namespace__name__in=seen)
    found = [
        {
            "name": row.name,
            "namespace": row.task_namespace.name,
            "version": row.version,
            "description": row.description,
            "step_count": len(row.configuration.get("steps", ())),
        }
        for row in rows.select_related("task_namespace").order_by(
            "task_namespace__name", "name", "version"
        )
    ]
    counts = Counter(each["namespace"] for each in found)
    known = TaskNamespace.objects.filter(name__in=seen).order_by("name")
    return {
        "namespaces": [
            {
                "name": each.name,
                "description": each.description,
                "template_count": counts[each.name],
            }
            for each in known
        ],
        "templates": found,
        "total_count": len(found),
    }


def template(
    namespaces: Sequence[str], scope: Scope, *, namespace: str, name: str, version: str
) -> dict[str, Any]:
    """Return one template with the state of its handlers here; raises `NotFoundError`."""
    missing = NotFoundError(
        f"This worker serves no template '{namespace}/{name}@{version}'; see /v1/templates"
    )
    if namespace not in namespaces or not scope.includes(namespace):
        raise missing
    try:
        found = registry.find(namespace, name, version, suggest_from=())
    except TemplateNotFound as error:
        raise missing from error
    content = found.template
    return {
        "name": content.name,
        "namespace": namespace,
        "version": content.version,
        "description": content.description,
        "configuration": canonical(content),
        "steps": [
            {
                "name": step.name,
                "description": step.description,
                "default_retryable": step.retry.retryable,
                "default_max_attempts": step.retry.max_attempts,
            }
            for step in content.steps
        ],
        "handlers": [_handler(step) for step in content.steps],
    }


def _handler(step: StepTemplate) -> dict[str, Any]:
    definition = HandlerDefinition.from_step(step)
    resolver = _resolver_of(definition)
    return {
        "step": step.name,
        "callable": definition.callable,
        "resolved": resolver is not None,
        "resolver": resolver,
    }


def _resolver_of(definition: HandlerDefinition) -> str | None:
    """Return the name of the resolver that answers, None when the handler is not here."""
    chain = HandlerRegistry.instance().resolver_chain
    for name in [definition.resolver] if definition.resolver else chain.resolver_names:
        try:
            chain.locate(replace(definition, resolver=name), definition.initialization)
        except ResolutionError:
            continue
        return name
    return None
