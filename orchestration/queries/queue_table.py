"""All queues of Tasker in one statement, for people; loops ask `messaging.pgmq.metrics`."""

from collections.abc import Iterable
from typing import NamedTuple

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


def all_queues(orchestration: Iterable[str]) -> list[QueueRow]:
    """Return the queues of the namespaces and those named, by name; costs a scan of each."""
    return sql.fetch(QueueRow, "queue_table/queues", orchestration=list(orchestration))
