"""Statements of the timers: due retries, lost workers, lost messages, old process rows."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from orchestration import sql


class ReapedStep(NamedTuple):
    """A step taken back from a lost worker; `outcome` is requeued or failed."""

    task_uuid: UUID
    workflow_step_uuid: UUID
    outcome: str


class RepairedStep(NamedTuple):
    """A step whose message was sent again."""

    task_uuid: UUID
    workflow_step_uuid: UUID
    state: str


class DueTask(NamedTuple):
    """A task with a retry that is due."""

    task_uuid: UUID


def engine_now() -> datetime:
    """Return the engine's time."""
    now: datetime = sql.scalar("recovery/now")
    return now


def seconds_until_due() -> float | None:
    """Return the time until the next retry or lease end; None when nothing is scheduled."""
    seconds: float | None = sql.scalar("recovery/seconds_until_due")
    return seconds


def tasks_with_due_retries(*, limit: int) -> list[UUID]:
    """Return tasks that have a retry due now, earliest first."""
    # The time is a parameter: inside the statement the volatile clock would bar the index.
    rows = sql.fetch(DueTask, "recovery/due_tasks", now=engine_now(), limit=limit)
    return [row.task_uuid for row in rows]


def reap_leases(
    *,
    limit: int,
    lock_seconds: float | None,
    grace_seconds: float,
    task_uuid: UUID | None = None,
) -> list[ReapedStep]:
    """Take steps back from workers that are gone; locks their tasks.

    Without `lock_seconds` only an expired lease counts. With a `limit` of 0, and by a server that
    has been up for less than `grace_seconds`, nobody is judged: free locks are noted. With
    `task_uuid`, this task alone and its leases only.
    """
    return sql.fetch(
        ReapedStep,
        "recovery/reap_leases",
        limit=limit,
        lock_seconds=lock_seconds,
        grace_seconds=grace_seconds,
        task_uuid=task_uuid,
    )


def repair_messages(*, stranded_seconds: float, limit: int) -> list[RepairedStep]:
    """Send messages again that have been missing for longer than `stranded_seconds`."""
    return sql.fetch(
        RepairedStep, "recovery/repair_messages", stranded_seconds=stranded_seconds, limit=limit
    )


def mark_silent_processes(*, silent_seconds: float) -> int:
    """Mark processes as lost that were not heard for so long; return how many."""
    return sql.execute("recovery/mark_silent_processes", silent_seconds=silent_seconds)


def forget_old_processes() -> int:
    """Delete rows of processes that ended a week ago."""
    return sql.execute("recovery/forget_processes")
