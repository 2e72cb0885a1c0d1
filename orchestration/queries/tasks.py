"""Statements about tasks: creation, locks, moves of sets, backlog."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json

from orchestration import sql
from orchestration.runtime.breaker import MESSAGING, breaker
from orchestration.runtime.failures import is_statement_failing


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


class NewTasks(NamedTuple):
    """Tasks of one template to insert; `steps` and `edges` are a blueprint's JSON texts.

    The keys of `columns` are those of sql/functions/tasker_create_tasks. `path`: the states through
    which they go if all of them start; without it they stay pending.
    """

    named_task_uuid: UUID
    revision_uuid: UUID
    columns: list[dict[str, Any]]
    steps: str
    edges: str
    path: tuple[str, ...] = ()


class NewTask(NamedTuple):
    """A task that was just inserted, and how many messages its queue had room for before.

    If it was started, also the steps that were enqueued, each with its message; else None.
    """

    identity_hash: str
    task_uuid: UUID
    created_at: datetime
    correlation_id: UUID
    queue_room: int
    step_uuids: list[UUID] | None = None
    msg_ids: list[int] | None = None


class IdentityHolder(NamedTuple):
    """The task that holds an identity."""

    identity_hash: str
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


def create_tasks(new: NewTasks, *, move: Move, high_water: int) -> dict[str, NewTask]:
    """Insert tasks with their steps and edges; return those whose identity was free, by it.

    `move` is announced for the rest of the transaction. A queue is full with `high_water` messages;
    with a path the tasks are started, unless one of them would find it full. The breaker
    `messaging` watches but never refuses: the caller may hold a transaction to finish.
    """
    with breaker(MESSAGING).observe(is_statement_failing):
        rows = sql.fetch(
            NewTask,
            "tasks/create",
            move=move.as_json(),
            high_water=high_water,
            named_task=new.named_task_uuid,
            revision=new.revision_uuid,
            tasks=to_json(new.columns).decode(),
            steps=new.steps,
            edges=new.edges,
            path=list(new.path) or None,
        )
    return {row.identity_hash: row for row in rows}


def holders_of_identities(identity_hashes: Iterable[str]) -> dict[str, IdentityHolder]:
    """Return the tasks that hold identities, by them."""
    hashes = list(identity_hashes)
    rows = sql.fetch(IdentityHolder, "tasks/holders_of_identities", identity_hashes=hashes)
    return {row.identity_hash: row for row in rows}


def closed_namespaces(*, high_water: int) -> list[str]:
    """Return the namespaces whose queues hold `high_water` messages or more."""
    rows = sql.fetch(NamespaceName, "tasks/closed_namespaces", high_water=high_water)
    return [row.name for row in rows]


def notify_due_work() -> None:
    """Wake the due-work and discovery loops when the transaction commits."""
    sql.execute("tasks/notify_due")
