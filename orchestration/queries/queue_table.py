"""All queues of Tasker in one statement, for people; loops ask `messaging.pgmq.metrics`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from orchestration import sql


class QueueRow(NamedTuple):
    """One queue; `sent` and `taken` are counters since the server's statistics began."""

    name: str
    depth: int
    visible: int
    oldest_age_seconds: int | None
    sent: int
    taken: int
    archived: int


class PeekedMessage(NamedTuple):
    """One message as it lies in its queue."""

    msg_id: int
    read_ct: int
    enqueued_at: datetime
    visible_at: datetime
    message: Any


def all_queues(orchestration: Iterable[str]) -> list[QueueRow]:
    """Return the queues of the namespaces and those named, by name; costs a scan of each."""
    return sql.fetch(QueueRow, "queue_table/queues", orchestration=list(orchestration))


def peek(queue: str, *, limit: int) -> list[PeekedMessage]:
    """Return the oldest messages of a queue; none is read by this."""
    rows = sql.fetch(PeekedMessage, "queue_table/peek", queue=queue, limit=limit)
    return [row._replace(message=sql.decoded(row.message)) for row in rows]
