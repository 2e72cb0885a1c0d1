"""Deletes what has been kept long enough: finished tasks, closed DLQ entries, archived messages.

The only code that deletes a task. It works in batches, each a transaction of its own under a lock
that lets one purge work at a time, with a rest after each; so it may stop between any two batches,
and run beside a busy engine. `manage.py purge` runs it to the end, `AutomaticPurge` is the loop of
an orchestrator (api-and-operations.md 8.6).

Why a lock for each batch and not for the whole run: a session lock does not survive a transaction
pooler.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import IntegrityError

from orchestration import metrics
from orchestration.conf import RetentionSettings
from orchestration.queries import retention
from orchestration.queries.transactions import atomically

log = logging.getLogger(__name__)

DAY_SECONDS = 86_400
HOUR_SECONDS = 3600
FIRST_PURGE_SECONDS = 60.0  # of an orchestrator: restarts more often than the interval still purge
LEAST_REST_SECONDS = 0.05
BUSY_REST_SECONDS = 1.0
BUSY_LOOKS = 60

Rows = Counter[str]
"""Deleted rows by what they were; `detached_entries` are kept, without their task."""


class PurgeBusyError(Exception):
    """Another purge held the lock for a long time; wait for its end."""


def purge(
    limits: RetentionSettings,
    *,
    rest: Callable[[float], bool],
    show: Callable[[Rows], None] = lambda rows: None,
) -> Rows:
    """Delete batch by batch until nothing is old enough; return the rows deleted.

    `rest(seconds)` sleeps and tells whether to go on; `show` gets the sum after every batch. Rests
    as long as the batch took, so that half of the time belongs to others. Raises PurgeBusyError,
    and IntegrityError when a table of somebody else still points to a task.
    """
    total: Rows = Counter()
    busy = 0
    while True:
        began = time.monotonic()
        deleted = purge_batch(limits)
        seconds = max(time.monotonic() - began, LEAST_REST_SECONDS)
        if deleted is None:
            busy, seconds = busy + 1, BUSY_REST_SECONDS
            if busy > BUSY_LOOKS:
                raise PurgeBusyError("Another purge has been at work for a minute")
        elif not deleted:
            log.info("purge.finished", extra=dict(total))
            return total
        else:
            busy = 0
            total += deleted
            show(total)
        if not rest(seconds):
            return total


def purge_batch(limits: RetentionSettings) -> Rows | None:
    """Delete one batch in one transaction; None when another purge is at work, empty at the end.

    Tasks come first, then DLQ entries, then archives: what refers to a task is not in its way.
    """

    def work() -> Rows | None:
        if not retention.try_lock():
            return None
        return _tasks(limits) or _entries(limits) or _archives(limits)

    began = time.perf_counter()
    deleted = atomically(work)
    if deleted:
        metrics.PURGE_DURATION.observe((time.perf_counter() - began) * 1000)
        for table, count in deleted.items():
            metrics.PURGED_ROWS.add(count, table=table)
        log.info("purge.deleted", extra=dict(deleted))
    return deleted


def count(limits: RetentionSettings) -> Rows:
    """Return what a purge would delete now; changes nothing, may take long."""
    retention.lift_time_limit()
    found: Rows = Counter()
    if days := limits.retention_task_days:
        found.update(retention.count_tasks(age_seconds=days * DAY_SECONDS)._asdict())
    if days := limits.retention_dlq_days:
        found["dlq_entries"] = retention.count_entries(age_seconds=days * DAY_SECONDS)
    if days := limits.retention_archive_days:
        found["archived_messages"] = retention.count_archives(age_seconds=days * DAY_SECONDS)
    return +found


def _tasks(limits: RetentionSettings) -> Rows:
    if not limits.retention_task_days:
        return Counter()
    return +Counter(
        retention.purge_tasks(
            age_seconds=limits.retention_task_days * DAY_SECONDS, limit=limits.purge_batch_count
        )._asdict()
    )


def _entries(limits: RetentionSettings) -> Rows:
    if not limits.retention_dlq_days:
        return Counter()
    seconds = limits.retention_dlq_days * DAY_SECONDS
    deleted = retention.purge_entries(age_seconds=seconds, limit=limits.purge_batch_count)
    return +Counter(dlq_entries=deleted)


def _archives(limits: RetentionSettings) -> Rows:
    if not limits.retention_archive_days:
        return Counter()
    seconds = limits.retention_archive_days * DAY_SECONDS
    deleted = retention.purge_archives(age_seconds=seconds, limit=limits.purge_batch_count)
    return +Counter(archived_messages=deleted)


@dataclass
class AutomaticPurge:
    """The purge of an orchestrator: a batch a round while there is something, then a long rest."""

    limits: RetentionSettings
    next_purge: float = field(default_factory=lambda: time.monotonic() + FIRST_PURGE_SECONDS)

    def run_once(self) -> int:
        """Delete one batch if it is time; return 0, because a rest follows every batch."""
        if (began := time.monotonic()) < self.next_purge:
            return 0
        try:
            deleted = purge_batch(self.limits)
        except IntegrityError as error:
            log.error("purge.refused", extra={"error": str(error).strip()})
            deleted = None
        now = time.monotonic()
        if deleted:
            self.next_purge = now + max(now - began, LEAST_REST_SECONDS)
        else:  # all done, or another orchestrator is doing it
            self.next_purge = now + self.limits.purge_interval_hours * HOUR_SECONDS
        return 0

    def idle_seconds(self) -> float:
        """Return the pause until the next batch."""
        return max(self.next_purge - time.monotonic(), 0)
