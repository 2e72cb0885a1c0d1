"""One row per attempt that reported something; the result itself is not copied.

Its foreign keys have no constraint in the database, for the reason that the history has none.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from orchestration.models.step import WorkflowStep
from orchestration.models.task import Task
from orchestration.models.transition import StepTransition
from templates_registry.models import TaskerNow, UuidV7


class StepResultAudit(models.Model):
    """Written by the step trigger on every hop into a reported state."""

    audit_uuid = models.UUIDField(primary_key=True, db_default=UuidV7())
    workflow_step = models.ForeignKey(
        WorkflowStep,
        on_delete=models.CASCADE,
        db_column="workflow_step_uuid",
        related_name="result_audit",
        db_constraint=False,
        db_index=False,  # the unique constraint begins with it
    )
    transition = models.ForeignKey(
        StepTransition,
        on_delete=models.CASCADE,
        db_column="transition_uuid",
        related_name="result_audit",
        db_constraint=False,
        db_index=False,  # found by its step
    )
    task = models.ForeignKey(
        Task,
        on_delete=models.CASCADE,
        db_column="task_uuid",
        related_name="result_audit",
        db_constraint=False,
        db_index=False,  # found by the steps of the task
    )
    worker_uuid = models.UUIDField(null=True)
    correlation_id = models.UUIDField()
    attempt = models.IntegerField()
    success = models.BooleanField()
    execution_time_ms = models.BigIntegerField(null=True)
    error_type = models.CharField(max_length=255, null=True)  # noqa: DJ001 the contract
    recorded_at = models.DateTimeField(db_default=TaskerNow())
    created_at = models.DateTimeField(db_default=TaskerNow())

    class Meta:
        db_table = "tasker_workflow_step_result_audit"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workflow_step", "transition"], name="tasker_result_audit_once"
            ),
        ]
        indexes: ClassVar = [
            # rows are only appended, in the order of time: a few pages serve a period of any table
            BrinIndex(fields=["recorded_at"], name="tasker_result_audit_times"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt}: {'success' if self.success else self.error_type}"
