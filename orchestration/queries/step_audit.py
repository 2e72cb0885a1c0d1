"""The attempts of a step that reported something, newest first.

Reads only. Earlier results are not kept, so only the newest attempt has one.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, JSONField, Value

from orchestration.models import StepResultAudit


class AuditRow(NamedTuple):
    """One attempt, and the move that it led to."""

    audit_uuid: UUID
    workflow_step_uuid: UUID
    transition_uuid: UUID
    task_uuid: UUID
    recorded_at: datetime
    worker_uuid: UUID | None
    correlation_id: UUID
    attempt: int
    success: bool
    execution_time_ms: int | None
    result: Any
    step_name: str
    from_state: str | None
    to_state: str


_SOURCES: dict[str, Any] = {
    "workflow_step_uuid": F("workflow_step_id"),
    "transition_uuid": F("transition_id"),
    "task_uuid": F("task_id"),
    "result": Value(None, JSONField()),
    "step_name": F("workflow_step__name"),
    "from_state": F("transition__from_state"),
    "to_state": F("transition__to_state"),
}


def find_audit(task_uuid: UUID, step_uuid: UUID) -> list[AuditRow]:
    """Return the attempts of a step of a task; none when there is no such step."""
    audit = StepResultAudit.objects.filter(task=task_uuid, workflow_step=step_uuid)
    columns = [_SOURCES.get(field, F(field)) for field in AuditRow._fields]
    ordered = audit.order_by("-recorded_at", "-audit_uuid").values_list(*columns)
    rows = [AuditRow._make(row) for row in ordered]
    if rows:
        result = audit.values_list("workflow_step__results", flat=True)[0]
        rows[0] = rows[0]._replace(result=result)
    return rows
