"""Statements about the register of investigations."""

import json
from typing import Any
from uuid import UUID

from orchestration import sql


def create_entry(task_uuid: UUID, *, reason: str, metadata: dict[str, Any]) -> UUID | None:
    """Open an entry with a snapshot of the task; None when a pending one exists."""
    entry: UUID | None = sql.scalar(
        "dlq/create_entry", task_uuid=task_uuid, reason=reason, metadata=json.dumps(metadata)
    )
    return entry
