"""PGMQ, as the engine uses it: send with notification, read, delete, set aside.

Everything runs in the caller's transaction, so a message and the state change it announces commit
together. The hot path does its queue work inside the SQL functions of the worker protocol; this
door serves requests, poison handling, health and operators. Reads are refused while the circuit
breaker `messaging` is open; sends it only watches: they belong to somebody's transaction.
"""

import json
import logging
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connections, transaction

from orchestration import sql
from orchestration.runtime.breaker import MESSAGING, breaker
from orchestration.runtime.failures import is_statement_failing
from orchestration.runtime.queue_use import archiving, note_received, receiving, sending
from orchestration.sql import operations

log = logging.getLogger(__name__)


class Message(NamedTuple):
    """A message that was read: its id, how often, since when, and its body."""

    msg_id: int
    read_ct: int
    enqueued_at: datetime
    body: Any


class QueueMetrics(NamedTuple):
    """Depth of a queue; age in seconds of its oldest message, None when empty."""

    depth: int
    visible: int
    oldest_age_seconds: int | None
    total_sent: int


def send(queue: str, body: dict[str, Any], *, delay_seconds: int = 0) -> int:
    """Send one message, notify at commit, and return its id."""
    with breaker(MESSAGING).observe(is_statement_failing), sending(queue):
        msg_id = sql.scalar(
            "queues/send", queue=queue, message=json.dumps(body), delay_seconds=delay_seconds
        )
    return int(msg_id)


def read(
    queue: str, *, limit: int, visibility_seconds: int, only: dict[str, Any] | None = None
) -> list[Message]:
    """Read up to `limit` messages; others do not see them for `visibility_seconds`.

    With `only`, messages that contain this JSON.
    """
    with breaker(MESSAGING).guard(is_statement_failing), receiving(queue):
        rows = sql.fetch(
            Message,
            "queues/read",
            queue=queue,
            limit=limit,
            visibility_seconds=visibility_seconds,
            only=json.dumps(only or {}),
        )
    note_received(queue, len(rows))
    return [row._replace(body=sql.decoded(row.body)) for row in rows]


def read_one(queue: str, *, msg_id: int, visibility_seconds: int) -> Message | None:
    """Read one message by id if it is visible; count the read."""
    with breaker(MESSAGING).guard(is_statement_failing):
        rows = sql.fetch(
            Message,
            "queues/read_one",
            queue=queue,
            msg_id=msg_id,
            visibility_seconds=visibility_seconds,
        )
    return rows[0]._replace(body=sql.decoded(rows[0].body)) if rows else None


def take(queue: str) -> Message | None:
    """Remove and return the next message; a rollback brings it back."""
    with breaker(MESSAGING).guard(is_statement_failing), receiving(queue):
        rows = sql.fetch(Message, "queues/take", queue=queue)
    note_received(queue, len(rows))
    return rows[0]._replace(body=sql.decoded(rows[0].body)) if rows else None


def delete(queue: str, *msg_ids: int) -> int:
    """Delete messages and return how many were there."""
    return int(sql.scalar("queues/delete", queue=queue, msg_ids=list(msg_ids)))


def set_visibility(queue: str, *, msg_id: int, seconds: int) -> bool:
    """Make a message visible in so many seconds; False when it is gone."""
    return bool(sql.scalar("queues/set_visibility", queue=queue, msg_id=msg_id, seconds=seconds))


def bury(queue: str, *, msg_id: int, why: str) -> bool:
    """Archive a message that nobody can use and open a DLQ entry; False when it is gone."""
    with archiving(queue):
        return bool(sql.scalar("queues/bury", queue=queue, msg_id=msg_id, why=why))


def create_queue(queue: str) -> bool:
    """Create a queue if it is absent; True when it is new."""
    return bool(sql.scalar("queues/create", queue=queue))


def metrics(queue: str) -> QueueMetrics:
    """Return depth and age of a queue; cache the answer, it scans the queue."""
    return sql.fetch(QueueMetrics, "queues/metrics", queue=queue)[0]


def installed() -> str | None:
    """Return the record of our installation of PGMQ, None when somebody else installed it."""
    with connections["default"].cursor() as cursor:
        return operations.pgmq_comment(cursor)


def shipped_version() -> str:
    """Return the version of PGMQ that the requirements bring."""
    return operations.shipped_pgmq_version()


def version() -> str | None:
    """Return the version of PGMQ in the database; None when it is missing or unknown."""
    found: str | None = sql.scalar("queues/version")
    return found


def warn_of_other_version() -> None:
    """Log a warning when the database's PGMQ, installed from SQL, is not the shipped one."""
    if installed() == operations.INSTALLED_AS_EXTENSION:
        return
    found, shipped = version(), shipped_version()
    if found not in (None, shipped):
        log.warning(
            "pgmq.other_version",
            extra={"installed": found, "shipped": shipped, "then": "manage.py upgrade_pgmq"},
        )


def upgrade() -> None:
    """Bring PGMQ to the shipped or offered version in one transaction; messages stay."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        operations.upgrade_pgmq(cursor)
