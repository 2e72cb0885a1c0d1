"""What takes turns: Tasker and each peer, with its processes running and nothing else.

A system starts from empty tables at every turn. What both are: `tasker_side` and `peer_side`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from tasker_project.bench.peers.scripts.contract import Spent
from tasker_project.processes import ProcessGroup


@dataclass(frozen=True)
class AtWork:
    """A system whose processes run; `throughput` calls its last argument before it begins."""

    group: ProcessGroup  # everything whose CPU time is the system's, but PostgreSQL
    database: str | None  # its name on the server
    latencies_ms: Callable[[str, int], Sequence[float]]
    throughput: Callable[[str, int, Callable[[], None]], Spent]


class System(Protocol):
    """Tasker or a peer."""

    @property
    def name(self) -> str:
        """The name in figures."""

    def at_work(self) -> AbstractContextManager[AtWork]:
        """Start the processes on empty tables, and end them afterwards."""
