"""Looks at committed states while the faults happen: invariants hold always, not only at the end.

The engine repairs much by itself, so a build that loses messages may look well once it is quiet.
Every look is one snapshot. Steps whose messages a fault has touched are left out of I5 and I6.
"""

import threading
import time

from django.db import connections, transaction

from orchestration.queries import invariants
from orchestration.queries.invariants import Violation
from orchestration.runtime import database
from tests.chaos.tampering import Tampering

LOOK_SECONDS = 1.0
ALWAYS = ("I2", "I3", "I4", "I5", "I6", "I7", "I8")
ABOUT_MESSAGES = ("I5", "I6")


class Watcher(threading.Thread):
    """Collects what broke an invariant during the run."""

    def __init__(self, tampering: Tampering) -> None:
        super().__init__(name="watcher", daemon=True)
        self._tampering = tampering
        self._is_over = threading.Event()
        self.looks = 0
        self.longest_look = 0.0
        self.seen: dict[tuple[str, object], Violation] = {}

    def run(self) -> None:
        """Look again and again until told to stop."""
        while not self._is_over.wait(LOOK_SECONDS):
            try:
                self._look()
            except database.CONNECTION_ERRORS as error:
                database.discard_connections(error)
        database.release_connections()

    def stop(self) -> None:
        """End the thread."""
        self._is_over.set()
        self.join()

    def _look(self) -> None:
        began = time.monotonic()
        with self._tampering.lock, transaction.atomic():
            with connections["default"].cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = invariants.violations(ALWAYS)
        self.looks += 1
        self.longest_look = max(self.longest_look, time.monotonic() - began)
        for each in found:
            if each.invariant in ABOUT_MESSAGES and each.object_uuid in self._tampering.steps:
                continue
            self.seen.setdefault((each.invariant, each.object_uuid), each)
