"""The record of what people did to things that have no history of their own."""

from uuid import UUID

from django.db.models import QuerySet

from orchestration.models import OperatorRecord


def record_action(
    subject_uuid: UUID,
    action: str,
    *,
    actor: str,
    reason: str,
    change: tuple[str | None, str],
) -> None:
    """Write who did what and why; `change` is from what to what. In the action's transaction."""
    before, after = change
    OperatorRecord.objects.create(
        subject_uuid=subject_uuid,
        action=action,
        actor=actor,
        reason=reason,
        from_value=before,
        to_value=after,
    )


def records_of(subject_uuid: UUID) -> QuerySet[OperatorRecord]:
    """Return what was done to a thing, the newest first."""
    return OperatorRecord.objects.filter(subject_uuid=subject_uuid).order_by("-recorded_at")
