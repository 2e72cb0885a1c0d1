"""How much work waits, and for how long: cheap enough to be asked while there is too much of it.

Reads only. Counts end at a limit, so the costliest answer is bounded, whatever the tables hold.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from django.db import transaction

from orchestration import sql


class Pressure(NamedTuple):
    """Messages and waiting tasks of a namespace, and how long an engine's message has waited."""

    work: int
    lag_seconds: float | None


class NamespaceWork(NamedTuple):
    """Messages and waiting tasks of one namespace."""

    name: str
    work: int


def measure(namespace: str, *, limit: int, timeout_ms: int) -> Pressure:
    """Look at one namespace in one statement; raises OperationalError when that takes too long.

    Both counts end at `limit`. The caller's transaction, if there is one, goes on as before.
    """
    with transaction.atomic(), limited_statements(timeout_ms):
        (found,) = sql.fetch(
            Pressure,
            "pressure/measure",
            namespace=namespace,
            limit=limit,
        )
    return found


def of_namespaces(*, limit: int) -> list[NamespaceWork]:
    """Look at all namespaces; counts end at `limit` or a little above."""
    return sql.fetch(NamespaceWork, "pressure/namespaces", limit=limit)


def messages_for(namespaces: Sequence[str], *, limit: int) -> int:
    """Return how many messages wait on these namespaces' queues; each is counted up to `limit`."""
    return int(sql.scalar("pressure/messages", namespaces=list(namespaces), limit=limit))


def orchestration_lag() -> float | None:
    """Return for how many seconds a message for the engine has been waiting, None when none is."""
    seconds: float | None = sql.scalar("pressure/lag")
    return seconds


@contextmanager
def limited_statements(timeout_ms: int) -> Iterator[None]:
    """Limit the statements of the present transaction, and put the limit before back at the end."""
    before = sql.scalar("pressure/limit_statements", limit=str(timeout_ms))
    yield  # an error takes the setting back with the savepoint
    sql.scalar("pressure/limit_statements", limit=before)
