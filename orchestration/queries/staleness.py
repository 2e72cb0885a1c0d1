"""Statements of the staleness detector: what stopped moving, and what is done about it.

The limits are arguments of every statement: where a template is silent, the settings of the process
that asks decide.
"""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from orchestration import sql
from orchestration.queries.scope import Scope


class Limits(NamedTuple):
    """Limits for tasks whose template names none: minutes in a state, hours of life (0 = none)."""

    deps: int
    retry: int
    in_process: int
    lifetime_hours: int


class StaleTask(NamedTuple):
    """A task that the detector would act upon."""

    task_uuid: UUID
    namespace: str
    name: str
    current_state: str
    time_in_state_minutes: Decimal
    threshold_minutes: int
    reason: str


class SettledTask(NamedTuple):
    """What was done about a stale task; `failure` is what the database said against it."""

    task_uuid: UUID
    namespace: str
    name: str
    current_state: str
    time_in_state_minutes: Decimal
    threshold_minutes: int
    action_taken: str
    moved_to_dlq: bool
    transition_success: bool
    reason: str
    failure: str | None


class MonitoredTask(NamedTuple):
    """How far an unfinished task is on its way to a limit: healthy, warning or stale."""

    task_uuid: UUID
    namespace: str
    name: str
    state: str
    minutes_in_state: Decimal
    threshold_minutes: int
    health: str


def find_stale_tasks(limits: Limits, *, limit: int) -> list[StaleTask]:
    """Return the tasks to act upon, the furthest past their limit first; locks nothing."""
    return sql.fetch(StaleTask, "staleness/find", limit=limit, **_named(limits))


def settle_stale_task(task_uuid: UUID, limits: Limits, *, notify: bool) -> SettledTask | None:
    """Enter a stale task in the DLQ and end it, as its template wants.

    Judges again under the lock of the task and its steps; None when somebody holds one of them or
    nothing is to be done any more.
    """
    rows = sql.fetch(
        SettledTask, "staleness/settle", task_uuid=task_uuid, notify=notify, **_named(limits)
    )
    return rows[0] if rows else None


def monitored_tasks(limits: Limits, scope: Scope, *, limit: int) -> list[MonitoredTask]:
    """Return unfinished tasks, the nearest to a limit first."""
    return sql.fetch(
        MonitoredTask,
        "staleness/monitor",
        limit=limit,
        namespaces=scope.as_parameter(),
        **_named(limits),
    )


def _named(limits: Limits) -> dict[str, int]:
    return limits._asdict()
