"""Revisions: the immutable content, overrides applied, that a task is bound to.

`ensure_revision` makes the row where it is missing, at registration and, in another environment, at
the first creation of a task. `revision` gives parsed content back to workers and the lifecycle.
"""

from typing import Any
from uuid import UUID

from templates_registry.errors import TemplateError
from templates_registry.models import TemplateRevision
from templates_registry.registry.recent import Recent
from templates_registry.schema import TaskTemplate, canonical, digest_of
from templates_registry.schema.shapes import build
from templates_registry.schema.spelling import Spelled

_parsed: Recent[str, TaskTemplate] = Recent(1000)


def revision(named_task_uuid: UUID, digest: str) -> TaskTemplate:
    """Return the content of a revision; raises `TemplateRevision.DoesNotExist`.

    The digest is one of the whole content, identity included: what was parsed once for a digest is
    right for everyone, also in a transaction that does not see the row yet.
    """
    template = _parsed.get(digest)
    if template is None:
        content = TemplateRevision.objects.values_list("configuration", flat=True).get(
            named_task=named_task_uuid, digest=digest
        )
        template = parse_stored(content)
        _parsed.put(digest, template)
    return template


def parse_stored(content: dict[str, Any]) -> TaskTemplate:
    """Return the template that stored content describes; raises `TemplateError`."""
    template, findings = build(content, Spelled())
    if template is None:
        raise TemplateError(findings, source="the database")
    return template


def ensure_revision(named_task_uuid: UUID, resolved: TaskTemplate) -> tuple[UUID, str]:
    """Return uuid and digest of a revision, and make its row where it is missing."""
    content = canonical(resolved)
    digest = digest_of(content)
    rows = TemplateRevision.objects.filter(named_task=named_task_uuid, digest=digest)
    found = rows.values_list("pk", flat=True)
    uuid = found.first()
    if uuid is None:
        row = TemplateRevision(named_task_id=named_task_uuid, digest=digest, configuration=content)
        TemplateRevision.objects.bulk_create([row], ignore_conflicts=True)
        uuid = found.get()
    _parsed.put(digest, resolved)
    return uuid, digest


def forget_revisions() -> None:
    """Drop every parsed revision."""
    _parsed.clear()
