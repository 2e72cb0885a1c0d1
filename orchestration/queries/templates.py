"""Registered templates as API and command line show them: namespaces, versions, one with content.

Reads only. Which version a new task gets is decided in `templates_registry`, which knows no scope.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from orchestration import sql
from orchestration.queries.scope import Scope
from templates_registry.conf import registry_settings
from templates_registry.models import NamedTask
from templates_registry.registry import precedence
from templates_registry.registry.revisions import parse_stored
from templates_registry.schema import TaskTemplate, resolve


class NamespaceLine(NamedTuple):
    """One namespace; retired templates are not counted."""

    name: str
    description: str | None
    template_count: int


class VersionLine(NamedTuple):
    """One version of a template."""

    named_task_uuid: UUID
    namespace: str
    name: str
    version: str
    description: str | None
    step_count: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None


def find_namespaces(scope: Scope, *, namespace: str | None = None) -> list[NamespaceLine]:
    """Return the namespaces that are seen, by name."""
    return sql.fetch(
        NamespaceLine,
        "templates/namespaces",
        namespaces=scope.as_parameter(),
        namespace=namespace,
    )


def find_versions(
    scope: Scope, *, namespace: str | None = None, name: str | None = None
) -> list[VersionLine]:
    """Return versions by namespace and name, the latest of each template first."""
    rows = sql.fetch(
        VersionLine,
        "templates/versions",
        namespaces=scope.as_parameter(),
        namespace=namespace,
        name=name,
    )
    rows.sort(key=lambda row: precedence(row.version, registered_at=row.created_at), reverse=True)
    return sorted(rows, key=lambda row: (row.namespace, row.name))


def find_template(namespace: str, name: str, version: str, scope: Scope) -> TaskTemplate | None:
    """Return the content of a version with the overrides of this environment, None if not seen."""
    rows = NamedTask.objects.filter(
        scope.condition("task_namespace__name"),
        task_namespace__name=namespace,
        name=name,
        version=version,
    )
    content = rows.values_list("configuration", flat=True).first()
    if content is None:
        return None
    return resolve(parse_stored(content), registry_settings().environment)
