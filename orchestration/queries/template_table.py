"""Templates as people look at them: their versions with the tasks of a day, the times of steps."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from orchestration import sql
from orchestration.queries.scope import Scope


class TemplateVersion(NamedTuple):
    """One version; the callables are those of its steps, in order."""

    named_task_uuid: UUID
    namespace: str
    name: str
    version: str
    created_at: datetime
    is_retired: bool
    step_count: int
    callables: list[str]
    tasks_of_day: int
    failed_of_day: int


class StepTimes(NamedTuple):
    """What the attempts of one step of a template were like."""

    name: str
    attempts: int
    mean_ms: float | None
    p95_ms: float | None
    failures: int


def all_versions(scope: Scope, *, only: UUID | None = None) -> list[TemplateVersion]:
    """Return every version that is seen, or those of the template that one version belongs to."""
    rows = sql.fetch(
        TemplateVersion, "template_table/versions", namespaces=scope.as_parameter(), only=only
    )
    return [row._replace(callables=sql.decoded(row.callables)) for row in rows]


def step_times(named_task_uuid: UUID, *, tasks: int) -> dict[str, StepTimes]:
    """Return the times of the steps by their names, over so many of the newest tasks."""
    rows = sql.fetch(
        StepTimes, "template_table/step_times", named_task_uuid=named_task_uuid, tasks=tasks
    )
    return {row.name: row for row in rows}
