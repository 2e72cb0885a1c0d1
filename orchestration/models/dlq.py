"""The register of investigations: what stopped moving, or could not be read, and why.

A task never lives here, and closing an entry never starts anything.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from orchestration.models.task import Task
from templates_registry.models import TaskerNow, Timestamped, UuidV7


class DlqReason(models.TextChoices):
    """Why an entry was made."""

    STALENESS_TIMEOUT = "staleness_timeout"
    MAX_RETRIES_EXCEEDED = "max_retries_exceeded"
    DEPENDENCY_CYCLE_DETECTED = "dependency_cycle_detected"
    WORKER_UNAVAILABLE = "worker_unavailable"
    MANUAL_DLQ = "manual_dlq"
    POISON_MESSAGE = "poison_message"


class DlqResolution(models.TextChoices):
    """How an investigation ended."""

    PENDING = "pending"
    MANUALLY_RESOLVED = "manually_resolved"
    PERMANENTLY_FAILED = "permanently_failed"
    CANCELLED = "cancelled"


class DlqEntry(Timestamped):
    """One investigation; it outlives the task it is about."""

    dlq_entry_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    task = models.ForeignKey(
        Task,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="task_uuid",
        related_name="dlq_entries",
    )
    original_state = models.CharField(max_length=32, null=True)  # noqa: DJ001 the contract
    dlq_reason = models.CharField(max_length=32, choices=DlqReason.choices)
    dlq_timestamp = models.DateTimeField(db_default=TaskerNow())
    resolution_status = models.CharField(
        max_length=24, choices=DlqResolution.choices, db_default=DlqResolution.PENDING
    )
    resolution_timestamp = models.DateTimeField(null=True, blank=True)
    resolution_notes = models.TextField(null=True, blank=True)  # noqa: DJ001 the contract
    resolved_by = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    task_snapshot = models.JSONField(db_default={})
    queue_name = models.CharField(max_length=64, null=True)  # noqa: DJ001 the contract
    msg_id = models.BigIntegerField(null=True)
    message = models.JSONField(null=True)
    metadata = models.JSONField(db_default={})

    class Meta:
        db_table = "tasker_tasks_dlq"
        verbose_name_plural = "DLQ entries"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="tasker_dlq_reason", condition=Q(dlq_reason__in=DlqReason.values)
            ),
            models.CheckConstraint(
                name="tasker_dlq_resolution",
                condition=Q(resolution_status__in=DlqResolution.values),
            ),
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(resolution_status=DlqResolution.PENDING),
                name="tasker_dlq_one_pending",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["resolution_status", "dlq_timestamp"], name="tasker_dlq_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.dlq_reason} ({self.resolution_status})"
