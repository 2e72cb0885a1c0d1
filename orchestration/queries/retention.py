"""Statements that delete what is old enough, and count what they would delete.

Ages are seconds; a batch that deletes nothing was the last one.
"""

from typing import NamedTuple

from orchestration import sql


class TaskRows(NamedTuple):
    """Rows of finished tasks by table; `detached_entries` are closed DLQ entries that stay."""

    tasks: int
    steps: int
    edges: int
    task_transitions: int
    step_transitions: int
    result_audit: int
    annotations: int
    detached_entries: int


def try_lock() -> bool:
    """Take the lock of purges for this transaction; False when another purge is at work."""
    return bool(sql.scalar("retention/try_lock"))


def purge_tasks(*, age_seconds: float, limit: int) -> TaskRows:
    """Delete the oldest finished tasks with all their rows; locks them and their steps."""
    return sql.fetch(TaskRows, "retention/purge_tasks", age_seconds=age_seconds, limit=limit)[0]


def count_tasks(*, age_seconds: float) -> TaskRows:
    """Return what `purge_tasks` would delete without a limit."""
    return sql.fetch(TaskRows, "retention/count_tasks", age_seconds=age_seconds)[0]


def purge_entries(*, age_seconds: float, limit: int) -> int:
    """Delete DLQ entries closed long ago; return how many."""
    return sql.execute("retention/purge_entries", age_seconds=age_seconds, limit=limit)


def count_entries(*, age_seconds: float) -> int:
    """Return how many entries `purge_entries` would delete without a limit."""
    return int(sql.scalar("retention/count_entries", age_seconds=age_seconds))


def purge_archives(*, age_seconds: float, limit: int) -> int:
    """Delete archived messages of Tasker's queues; return how many."""
    return int(sql.scalar("retention/purge_archives", age_seconds=age_seconds, limit=limit))


def count_archives(*, age_seconds: float) -> int:
    """Return how many messages `purge_archives` would delete without a limit."""
    return int(sql.scalar("retention/count_archives", age_seconds=age_seconds))


def lift_time_limit() -> None:
    """Let the statements of this session take as long as they need."""
    sql.scalar("retention/no_time_limit")
