"""What the scripts of all peers on PostgreSQL have in common."""

from typing import Any

import psycopg

from tasker_project.bench.peers.scripts.contract import Progress, address

TOGETHER = 50  # requests in one transaction, where the peer can; as Tasker's side of the bench


class Ends:
    """Looks for finished workflows: the statement returns their number and the last one's end."""

    def __init__(self, statement: str) -> None:
        """Connect; the connection is ours and costs the peer nothing."""
        self._statement = statement.encode()
        self._connection: psycopg.Connection[Any] = psycopg.connect(address(), autocommit=True)

    def progress(self) -> Progress:
        """Ask once."""
        row = self._connection.execute(self._statement).fetchone()
        finished, last_end = row or (0, None)
        return Progress(finished, float(last_end or 0))


def execute(script: str) -> None:
    """Run statements without parameters in one transaction."""
    with psycopg.connect(address()) as connection:
        connection.execute(script.encode())


def portions(count: int) -> list[int]:
    """Return how many requests go into each transaction."""
    full, rest = divmod(count, TOGETHER)
    return [TOGETHER] * full + ([rest] if rest else [])
