"""Namespaces as people look at them: what is unfinished there, and how many templates there are."""

from typing import NamedTuple
from uuid import UUID

from orchestration import sql
from orchestration.queries.scope import Scope


class NamespaceRow(NamedTuple):
    """One namespace; `by_state` counts its unfinished tasks."""

    task_namespace_uuid: UUID
    name: str
    description: str | None
    templates: int
    by_state: dict[str, int]


def all_namespaces(scope: Scope) -> list[NamespaceRow]:
    """Return the namespaces that are seen, by name."""
    rows = sql.fetch(NamespaceRow, "namespace_table/namespaces", namespaces=scope.as_parameter())
    return [row._replace(by_state=sql.decoded(row.by_state)) for row in rows]
