"""Rows of running processes: who is alive, what it serves, when it was last heard."""

from typing import ClassVar

from django.db import models

from templates_registry.models import TaskerNow, Timestamped


class ProcessKind(models.TextChoices):
    """What kind of process a row stands for."""

    WORKER = "worker"
    ORCHESTRATOR = "orchestrator"


class ProcessStatus(models.TextChoices):
    """Where a process is in its life."""

    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"
    LOST = "lost"


class TaskerProcess(Timestamped):
    """One process, from its start to its end; `worker_uuid` is fresh for every start."""

    worker_uuid = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=16, choices=ProcessKind.choices)
    name = models.CharField(max_length=128)
    hostname = models.CharField(max_length=255)
    pid = models.IntegerField()
    version = models.CharField(max_length=50)
    environment = models.CharField(max_length=32)
    namespaces = models.JSONField(db_default=[])
    handlers = models.JSONField(db_default=[])
    report = models.JSONField(db_default={})
    slots = models.IntegerField(db_default=0)
    running = models.IntegerField(db_default=0)
    deployment_mode = models.CharField(max_length=20)
    has_liveness_lock = models.BooleanField(db_default=False)
    status = models.CharField(
        max_length=16, choices=ProcessStatus.choices, db_default=ProcessStatus.RUNNING
    )
    started_at = models.DateTimeField(db_default=TaskerNow())
    last_heartbeat_at = models.DateTimeField(db_default=TaskerNow())
    lock_missing_since = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "tasker_workers"
        verbose_name_plural = "processes"
        indexes: ClassVar = [
            models.Index(fields=["status", "last_heartbeat_at"], name="tasker_worker_heartbeat"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.status})"
