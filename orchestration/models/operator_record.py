"""What people did by hand to things that have no history of their own.

Tasks and steps have theirs (`transition.py`): the database writes it. Entries of the DLQ, API keys
and namespaces get a row here for every action, through whichever door; rows are only added.
"""

from typing import ClassVar

from django.db import models

from templates_registry.models import TaskerNow, UuidV7


class OperatorRecord(models.Model):
    """Who did what to which thing, when and why, and what changed; it outlives the thing."""

    record_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    recorded_at = models.DateTimeField(db_default=TaskerNow())
    actor = models.CharField(max_length=255)
    action = models.CharField(max_length=64)
    subject_uuid = models.UUIDField()
    reason = models.TextField(db_default="")
    from_value = models.TextField(null=True)  # noqa: DJ001 - null: the thing did not exist
    to_value = models.TextField()

    class Meta:
        db_table = "tasker_operator_records"
        indexes: ClassVar = [
            models.Index(fields=["subject_uuid", "recorded_at"], name="tasker_operator_records_of"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"
