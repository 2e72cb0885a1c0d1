"""What faults did to messages by hand, so that watcher and judge do not take it for the engine's.

A purge leaves steps without a message until the sweep repairs them, a duplicate makes two of them:
both are the fault itself. Everything else that breaks an invariant is the engine's.
"""

import threading
import time
from collections import defaultdict
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
        self.purges: dict[UUID, list[float]] = defaultdict(list)
        """When the message of a step was thrown away, seconds of the epoch."""

    def touch(self, steps: Iterable[UUID | str | None], *, is_purge: bool = False) -> None:
        """Note steps before the change of their messages commits."""
        for step in filter(None, map(_as_uuid, steps)):
            self.steps.add(step)
            if is_purge:
                self.purges[step].append(time.time())


def _as_uuid(step: UUID | str | None) -> UUID | None:
    """Return the step that a message names; None where it is malformed."""
    if step is None or isinstance(step, UUID):
        return step
    try:
        return UUID(step)
    except ValueError:
        return None
