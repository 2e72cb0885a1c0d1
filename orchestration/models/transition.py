"""The append-only history: one row per hop, written by the triggers, never by Python.

Its foreign keys and states have no constraint in the database: a trigger judges every hop and
writes it in the statement that moves the row it names, and purge deletes both. Constraints would
look at each hop once more, and lock its parent.
"""

from typing import ClassVar

from django.db import models

from orchestration.models.step import WorkflowStep
from orchestration.models.task import Task
from templates_registry.models import TaskerNow, UuidV7


class Transition(models.Model):
    """What the histories of tasks and steps have in common."""

    sort_key = models.IntegerField()
    from_state = models.CharField(max_length=40, null=True)  # noqa: DJ001 null = created
    to_state = models.CharField(max_length=40)
    event = models.CharField(max_length=64)
    processor_uuid = models.UUIDField(null=True)
    actor = models.CharField(max_length=255, null=True)  # noqa: DJ001 the contract
    metadata = models.JSONField(db_default={})
    created_at = models.DateTimeField(db_default=TaskerNow())

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.sort_key}: {self.from_state} -> {self.to_state} ({self.event})"


class TaskTransition(Transition):
    """One hop of a task."""

    task_transition_uuid = models.UUIDField(primary_key=True, db_default=UuidV7())
    task = models.ForeignKey(
        Task,
        on_delete=models.CASCADE,
        db_column="task_uuid",
        related_name="transitions",
        db_constraint=False,
        db_index=False,  # the unique constraint begins with it
    )

    class Meta:
        db_table = "tasker_task_transitions"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "sort_key"], name="tasker_task_hop"),
        ]


class StepTransition(Transition):
    """One hop of a step, with the worker and the attempt it belongs to."""

    workflow_step_transition_uuid = models.UUIDField(primary_key=True, db_default=UuidV7())
    workflow_step = models.ForeignKey(
        WorkflowStep,
        on_delete=models.CASCADE,
        db_column="workflow_step_uuid",
        related_name="transitions",
        db_constraint=False,
        db_index=False,  # the unique constraint begins with it
    )
    worker_uuid = models.UUIDField(null=True)
    attempt = models.IntegerField()

    class Meta:
        db_table = "tasker_workflow_step_transitions"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow_step", "sort_key"], name="tasker_step_hop"),
        ]
