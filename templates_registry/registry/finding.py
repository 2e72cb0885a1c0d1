"""Which content a new task gets: the template last registered under a version, resolved.

One query tells which version is the latest and when its content was last changed; everything else
is remembered by that. So an answer is right as soon as another process has registered new content,
and it costs one short query. What a caller's open transaction has written is remembered only once
it is committed, because a rolled-back revision must not be referred to.

Why the text of the query is kept: a fresh queryset took 0.74 ms, its kept text 0.24 ms, on a busy
machine where `SELECT 1` took 0.05 ms; every creation of a task pays for it.
"""

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from templates_registry.conf import registry_settings
from templates_registry.errors import TemplateNotFound
from templates_registry.models import NamedTask
from templates_registry.registry.recent import Recent
from templates_registry.registry.revisions import ensure_revision, parse_stored, revision
from templates_registry.registry.versions import precedence
from templates_registry.schema import TaskTemplate, resolve

__all__ = ["FoundTemplate", "find", "forget_found", "revision"]

MAX_CANDIDATES = 1000


@dataclass(frozen=True, slots=True)
class FoundTemplate:
    """What a new task is made from; `template` has the environment's overrides applied."""

    named_task_uuid: UUID
    namespace: str
    name: str
    version: str
    identity_strategy: str
    revision_uuid: UUID
    digest: str
    template: TaskTemplate


class _Candidate(NamedTuple):
    named_task_uuid: UUID
    version: str
    updated_at: datetime
    created_at: datetime


_found: Recent[tuple[UUID, datetime, str], FoundTemplate] = Recent(1000)


def find(
    namespace: str,
    name: str,
    version: str | None = None,
    *,
    suggest_from: Collection[str] | None = None,
    environment: str | None = None,
) -> FoundTemplate:
    """Return the active template of this name, without a version the latest one.

    Raises `TemplateNotFound`, which names similar templates, of the namespaces in `suggest_from`
    only where that is given. `environment`, whose overrides apply, is this process's by default.
    """
    candidate = _latest(namespace, name, version)
    if candidate is None:
        nearest = _nearest(namespace, name, version, suggest_from)
        raise TemplateNotFound(namespace, name, version, nearest)
    environment = environment or registry_settings().environment
    known = _found.get((candidate.named_task_uuid, candidate.updated_at, environment))
    return known or _load(candidate.named_task_uuid, environment)


def forget_found() -> None:
    """Drop everything that was found."""
    _found.clear()


def _latest(namespace: str, name: str, version: str | None) -> _Candidate | None:
    statement, parameters = _statement(namespace, name, version)
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(statement, parameters)
        candidates = [_Candidate(*row) for row in cursor.fetchall()]
    return max(
        candidates,
        key=lambda each: precedence(each.version, registered_at=each.created_at),
        default=None,
    )


@lru_cache(maxsize=1000)
def _statement(namespace: str, name: str, version: str | None) -> tuple[str, tuple[Any, ...]]:
    """Return the query for the active versions as the ORM writes it."""
    rows = NamedTask.objects.filter(
        task_namespace__name=namespace, name=name, retired_at__isnull=True
    )
    if version is not None:
        rows = rows.filter(version=version)
    statement, parameters = rows.values_list(*_Candidate._fields).query.sql_with_params()
    return statement, tuple(parameters)


def _load(named_task_uuid: UUID, environment: str) -> FoundTemplate:
    """Read and resolve a template, and remember it once what was written is committed."""
    row = NamedTask.objects.select_related("task_namespace").get(pk=named_task_uuid)
    resolved = resolve(parse_stored(row.configuration), environment)
    revision_uuid, digest = ensure_revision(named_task_uuid, resolved)
    found = FoundTemplate(
        named_task_uuid=named_task_uuid,
        namespace=row.task_namespace.name,
        name=row.name,
        version=row.version,
        identity_strategy=row.identity_strategy,
        revision_uuid=revision_uuid,
        digest=digest,
        template=resolved,
    )
    key = (named_task_uuid, row.updated_at, environment)
    transaction.on_commit(partial(_found.put, key, found))
    return found


def _nearest(
    namespace: str, name: str, version: str | None, suggest_from: Collection[str] | None
) -> list[str]:
    """Return up to three active templates that may have been meant."""
    rows = NamedTask.objects.filter(retired_at__isnull=True)
    if suggest_from is not None:
        rows = rows.filter(task_namespace__name__in=suggest_from)
    columns = ("task_namespace__name", "name", "version")
    known = list(rows.values_list(*columns)[:MAX_CANDIDATES])
    versions = [each for each in known if each[:2] == (namespace, name)]
    if versions and version is not None:
        return [
            f"{namespace}/{name}@{each}"
            for each in difflib.get_close_matches(version, [v for *_, v in versions], 3, 0.0)
        ]
    names = sorted({f"{other}/{its_name}" for other, its_name, _ in known})
    same_name = [each for each in names if each.partition("/")[2] == name]
    close = difflib.get_close_matches(f"{namespace}/{name}", names, 3, 0.6)
    return list(dict.fromkeys([*same_name, *close]))[:3]
