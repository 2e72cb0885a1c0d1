"""The registry's tables: namespaces, templates, their revisions and step types.

Rows are written by `registry.py` when templates are synchronised and read when tasks are created
and claims are served. A template version may be re-registered with new content at any time; what a
running task is bound to is an immutable `TemplateRevision`.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Func, Q


class TaskerNow(Func):
    """The engine's clock in SQL: `clock_timestamp()`, or the session's fake time in tests."""

    function = "tasker_now"
    arity = 0
    output_field = models.DateTimeField()


class UuidV7(Func):
    """A time-ordered uuid made by the database."""

    function = "uuid_generate_v7"
    arity = 0
    output_field = models.UUIDField()


class Timestamped(models.Model):
    """Adds the two times that every mutable table has."""

    created_at = models.DateTimeField(db_default=TaskerNow(), editable=False)
    updated_at = models.DateTimeField(db_default=TaskerNow(), editable=False)

    class Meta:
        abstract = True


class TaskNamespace(Timestamped):
    """A group of templates with one worker queue; its name becomes part of queue names."""

    task_namespace_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    name = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 the contract

    class Meta:
        db_table = "tasker_task_namespaces"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="tasker_namespace_name_fits_queues",
                condition=Q(name__regex=r"^[a-z][a-z0-9_]{0,28}$")
                & ~Q(name__startswith="orchestration"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DependentSystem(Timestamped):
    """A system that steps talk to; the row `default` always exists."""

    dependent_system_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    name = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 the contract

    class Meta:
        db_table = "tasker_dependent_systems"

    def __str__(self) -> str:
        return self.name


class IdentityStrategy(models.TextChoices):
    """How the identity of a new task is found (engine.md 11)."""

    ALWAYS_UNIQUE = "always_unique"
    STRICT = "strict"
    CALLER_PROVIDED = "caller_provided"


class NamedTask(Timestamped):
    """One version of a template, as last registered, overrides of environments not applied."""

    named_task_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    task_namespace = models.ForeignKey(
        TaskNamespace,
        on_delete=models.PROTECT,
        db_column="task_namespace_uuid",
        related_name="named_tasks",
    )
    name = models.CharField(max_length=255)
    version = models.CharField(max_length=50, db_default="0.1.0")
    description = models.TextField(null=True, blank=True)  # noqa: DJ001 the contract
    identity_strategy = models.CharField(
        max_length=20,
        choices=IdentityStrategy.choices,
        db_default=IdentityStrategy.ALWAYS_UNIQUE,
    )
    configuration = models.JSONField(db_default={})
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "tasker_named_tasks"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["task_namespace", "name", "version"], name="tasker_named_task_version"
            ),
            models.CheckConstraint(
                name="tasker_named_task_identity_strategy",
                condition=Q(identity_strategy__in=IdentityStrategy.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_namespace.name}/{self.name}@{self.version}"


class TemplateRevision(models.Model):
    """The resolved content (overrides applied) that tasks are bound to; rows never change."""

    template_revision_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    named_task = models.ForeignKey(
        NamedTask,
        on_delete=models.PROTECT,
        db_column="named_task_uuid",
        related_name="revisions",
    )
    digest = models.CharField(max_length=64)
    configuration = models.JSONField()
    created_at = models.DateTimeField(db_default=TaskerNow(), editable=False)

    class Meta:
        db_table = "tasker_template_revisions"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["named_task", "digest"], name="tasker_template_revision_digest"
            ),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class NamedStep(Timestamped):
    """A step type: the name of a step of templates, under the system it talks to."""

    named_step_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    dependent_system = models.ForeignKey(
        DependentSystem,
        on_delete=models.PROTECT,
        db_column="dependent_system_uuid",
        related_name="named_steps",
        db_index=False,  # the unique constraint begins with it; by this alone all would be read
    )
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 the contract

    class Meta:
        db_table = "tasker_named_steps"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dependent_system", "name"], name="tasker_named_step_in_system"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class NamedTaskStep(Timestamped):
    """Which step types a template version uses, with their default retry policy."""

    ntns_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    named_task = models.ForeignKey(
        NamedTask,
        on_delete=models.CASCADE,
        db_column="named_task_uuid",
        related_name="template_steps",
    )
    named_step = models.ForeignKey(
        NamedStep,
        on_delete=models.PROTECT,
        db_column="named_step_uuid",
        related_name="template_steps",
    )
    skippable = models.BooleanField(db_default=False)
    default_retryable = models.BooleanField(db_default=True)
    default_max_attempts = models.IntegerField(db_default=3)

    class Meta:
        db_table = "tasker_named_tasks_named_steps"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["named_task", "named_step"], name="tasker_named_task_step"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.named_task_id}: {self.named_step_id}"
