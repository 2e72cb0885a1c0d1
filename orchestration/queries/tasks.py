"""Statements about tasks: creation, locks, moves of sets, backlog."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import sql


class Move(NamedTuple):
    """Who moves states in this transaction, and why; every history row carries it."""

    actor: str
    processor_uuid: UUID | None = None
    reason: str = ""
    event: str | None = None
    details: dict[str, Any] | None = None

    def as_json(self) -> str:
        """Return the text of the transaction-local setting `tasker.move`."""
        known = {
            "actor": self.actor,
            "processor_uuid": self.processor_uuid and str(self.processor_uuid),
            "reason": self.reason,
            "event": self.event,
        }
        return json.dumps({k: v for k, v in known.items() if v} | (self.details or {}), default=str)


class LockedTask(NamedTuple):
    """A task that the current transaction may decide about."""

    task_uuid: UUID
    state: str
    named_task_uuid: UUID


class TaskMove(NamedTuple):
    """Where a task goes: hops before the last one as "state:event", then the state it ends in."""

    task_uuid: UUID
    hops: tuple[str, ...]
    state: str


class NewTask(NamedTuple):
    """A task that was just inserted."""

    task_uuid: UUID
    created_at: datetime
    correlation_id: UUID


class IdentityHolder(NamedTuple):
    """The task that holds an identity."""

    task_uuid: UUID
    state: str
    request_hash: str
    correlation_id: UUID


class NamespaceName(NamedTuple):
    """The name of a namespace."""

    name: str


def announce(move: Move) -> None:
    """Say who moves and why, for the rest of the transaction."""
    sql.execute("tasks/announce", move=move.as_json())


def lock_tasks(task_uuids: Sequence[UUID], *, skip_locked: bool = False) -> list[LockedTask]:
    """Lock tasks in uuid order; with `skip_locked` only those that nobody holds."""
    query = "tasks/lock_free" if skip_locked else "tasks/lock"
    return sql.fetch(LockedTask, query, task_uuids=list(task_uuids))


def move_tasks(moves: Sequence[TaskMove]) -> int:
    """Move locked tasks, several hops each, in one statement."""
    return int(
        sql.scalar(
            "tasks/move",
            task_uuids=[move.task_uuid for move in moves],
            hops=[",".join(move.hops) or None for move in moves],
            states=[move.state for move in moves],
        )
    )


def create_task(columns: dict[str, Any], *, steps: str, edges: str) -> NewTask | None:
    """Insert a task with its steps and edges; None when its identity is taken.

    `steps` and `edges` are the JSON texts of a blueprint (lifecycle/workflow_builder.py).
    """
    rows = sql.fetch(
        NewTask, "tasks/create", task=json.dumps(columns, default=str), steps=steps, edges=edges
    )
    return rows[0] if rows else None


def holder_of_identity(identity_hash: str) -> IdentityHolder | None:
    """Return the task that holds an identity."""
    rows = sql.fetch(IdentityHolder, "tasks/holder_of_identity", identity_hash=identity_hash)
    return rows[0] if rows else None


def is_closed(namespace: str, *, high_water: int) -> bool:
    """Tell whether a namespace's queue holds `high_water` messages or more."""
    return bool(sql.scalar("tasks/is_closed", namespace=namespace, high_water=high_water))


def closed_namespaces(*, high_water: int) -> list[str]:
    """Return the namespaces whose queues hold `high_water` messages or more."""
    rows = sql.fetch(NamespaceName, "tasks/closed_namespaces", high_water=high_water)
    return [row.name for row in rows]


def notify_due_work() -> None:
    """Wake the due-work and discovery loops when the transaction commits."""
    sql.execute("tasks/notify_due")
