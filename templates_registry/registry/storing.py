"""Registering one template: its namespace, row, step types and revision in one transaction.

Registering twice changes nothing. Whether changed content under a known version is taken is a
policy; running tasks keep their revision either way. Several processes that register at once are
serialised by a lock on the namespace's row. The queues of a new namespace are made by a trigger
that orchestration installs; nothing here knows of queues.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from templates_registry.conf import registry_settings
from templates_registry.errors import Finding
from templates_registry.models import (
    DependentSystem,
    NamedStep,
    NamedTask,
    NamedTaskStep,
    TaskerNow,
    TaskNamespace,
)
from templates_registry.registry.revisions import ensure_revision
from templates_registry.schema import (
    StepTemplate,
    TaskTemplate,
    canonical,
    digest_of,
    resolve,
    validate,
)

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of a template that was to be registered."""

    CREATED = "created"  # a version that was unknown, or retired
    UNCHANGED = "unchanged"
    REVISED = "revised"  # new tasks get the new content
    REJECTED = "rejected"  # findings, or the policy
    CONFLICT = "conflict"  # two files disagree


@dataclass(frozen=True, slots=True)
class Registration:
    """The answer to one registration."""

    outcome: Outcome
    named_task_uuid: UUID | None = None
    findings: tuple[Finding, ...] = ()
    message: str = ""


def register(template: TaskTemplate, *, policy: str | None = None) -> Registration:
    """Write a template, unless it has errors or the policy refuses its changed content.

    `policy` is `revise` or `reject`; None takes the setting template_change_policy.
    """
    report = validate(template)
    if not report.valid:
        return Registration(Outcome.REJECTED, None, report.findings, "The template has errors.")
    return store(template, policy=policy)


def preview(template: TaskTemplate, *, policy: str | None = None) -> Registration:
    """Return what `store` would do, without writing anything."""
    return _judge(template, canonical(template), policy)


def store(template: TaskTemplate, *, policy: str | None = None) -> Registration:
    """Write a template that has been validated; one transaction, or a savepoint of the caller's."""
    content = canonical(template)
    with transaction.atomic():
        judged = _judge(template, content, policy)
        if judged.outcome in (Outcome.CREATED, Outcome.REVISED):
            namespace = _locked_namespace(template.namespace_name)
            judged = _judge(template, content, policy)  # others may have been faster
            judged = _write(judged, namespace, template, content)
        if judged.named_task_uuid is not None and judged.outcome is not Outcome.REJECTED:
            resolved = resolve(template, registry_settings().environment)
            ensure_revision(judged.named_task_uuid, resolved)
    _tell(judged, template)
    return judged


def retire(row: NamedTask) -> None:
    """Take a template version out of use: no new tasks; running ones go on."""
    with transaction.atomic():
        _locked_namespace(row.task_namespace.name)
        NamedTask.objects.filter(pk=row.pk, retired_at__isnull=True).update(
            retired_at=TaskerNow(), updated_at=_later()
        )
    log.info("template.retired", extra={"template": str(row), "named_task_uuid": str(row.pk)})


def _later() -> Greatest:
    """Return now, or just after the last change: `find` tells contents apart by this time."""
    return Greatest(TaskerNow(), F("updated_at") + timedelta(microseconds=1))


def _judge(template: TaskTemplate, content: dict[str, object], policy: str | None) -> Registration:
    """Compare a template with what is registered under its version."""
    row = NamedTask.objects.filter(
        task_namespace__name=template.namespace_name, name=template.name, version=template.version
    ).first()
    if row is None:
        return Registration(Outcome.CREATED)
    is_same = digest_of(row.configuration) == digest_of(content)
    if is_same:
        retired = row.retired_at is not None
        return Registration(Outcome.CREATED if retired else Outcome.UNCHANGED, row.pk)
    if (policy or registry_settings().template_change_policy) == "reject":
        text = (
            f"{template} is registered with other content, and template_change_policy is "
            "'reject'; give the changed template a new version."
        )
        return Registration(Outcome.REJECTED, row.pk, message=text)
    return Registration(Outcome.REVISED, row.pk)


def _locked_namespace(name: str) -> TaskNamespace:
    """Return the namespace's row, made where it is missing, locked until the transaction ends."""
    rows = TaskNamespace.objects.select_for_update(no_key=True).filter(name=name)
    namespace = rows.first()
    if namespace is None:
        TaskNamespace.objects.bulk_create([TaskNamespace(name=name)], ignore_conflicts=True)
        namespace = rows.get()
    return namespace


def _write(
    judged: Registration,
    namespace: TaskNamespace,
    template: TaskTemplate,
    content: dict[str, object],
) -> Registration:
    """Write row and step types as judged under the lock."""
    if judged.outcome not in (Outcome.CREATED, Outcome.REVISED):
        return judged
    values = {
        "description": template.description,
        "identity_strategy": template.identity_strategy,
        "configuration": content,
    }
    uuid = judged.named_task_uuid
    if uuid is None:
        row = NamedTask.objects.create(
            task_namespace=namespace, name=template.name, version=template.version, **values
        )
        uuid = row.pk
    else:
        NamedTask.objects.filter(pk=uuid).update(retired_at=None, updated_at=_later(), **values)
    _write_steps(uuid, template)
    return Registration(judged.outcome, uuid)


def _write_steps(named_task_uuid: UUID, template: TaskTemplate) -> None:
    """Write step types and which of them the template uses; sorted, so that locks never cross."""
    steps = {(template.system_of(step), step.name): step for step in template.steps}
    systems = sorted({system for system, _ in steps})
    DependentSystem.objects.bulk_create(
        [DependentSystem(name=name) for name in systems], ignore_conflicts=True
    )
    system_uuids = dict(DependentSystem.objects.filter(name__in=systems).values_list("name", "pk"))
    NamedStep.objects.bulk_create(
        [
            NamedStep(
                dependent_system_id=system_uuids[system],
                name=name,
                description=(step.description or "")[:255] or None,
            )
            for (system, name), step in sorted(steps.items(), key=lambda item: item[0])
        ],
        ignore_conflicts=True,
    )
    named = NamedStep.objects.filter(
        dependent_system__name__in=systems, name__in=[name for _, name in steps]
    )
    uuids = {
        (system, name): uuid
        for system, name, uuid in named.values_list("dependent_system__name", "name", "pk")
    }
    _write_links(named_task_uuid, {uuids[key]: step for key, step in steps.items()})


def _write_links(named_task_uuid: UUID, steps: dict[UUID, StepTemplate]) -> None:
    links = NamedTaskStep.objects.filter(named_task=named_task_uuid)
    links.exclude(named_step__in=list(steps)).delete()
    NamedTaskStep.objects.bulk_create(
        [
            NamedTaskStep(
                named_task_id=named_task_uuid,
                named_step_id=uuid,
                default_retryable=step.retry.retryable,
                default_max_attempts=step.retry.max_attempts,
            )
            for uuid, step in steps.items()
        ],
        update_conflicts=True,
        unique_fields=["named_task", "named_step"],
        update_fields=["default_retryable", "default_max_attempts", "updated_at"],
    )


def _tell(judged: Registration, template: TaskTemplate) -> None:
    """Log what was written."""
    fields = {"template": str(template), "named_task_uuid": str(judged.named_task_uuid)}
    if judged.outcome is Outcome.CREATED:
        log.info("template.registered", extra=fields)
    elif judged.outcome is Outcome.REVISED:
        log.warning("template.revised", extra=fields)
