"""What faults did to messages by hand, so that watcher and judge do not take it for the engine's.

A purge leaves steps without a message until the sweep repairs them, a duplicate makes two of them:
both are the fault itself. Everything else that breaks an invariant is the engine's.
"""

import threading
from collections.abc import Iterable
from uuid import UUID


class Tampering:
    """Steps whose messages were touched, and messages that nobody can use."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held by a purge and by a look: TRUNCATE empties a table also for older snapshots."""
        self.steps: set[UUID] = set()
        self.malformed: set[tuple[str, int]] = set()
        self.purged: set[tuple[str, int]] = set()

    def touch(self, steps: Iterable[UUID | str | None]) -> None:
        """Note steps before the change of their messages commits."""
        for step in steps:
            if isinstance(step, UUID):
                self.steps.add(step)
            elif step is not None:
                try:
                    self.steps.add(UUID(step))
                except ValueError:
                    continue  # of a malformed message
