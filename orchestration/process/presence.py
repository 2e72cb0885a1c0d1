"""The registry row of a process: written at start, kept fresh, closed at the end.

Why a process that was taken for lost keeps its uuid when it comes back: its claims are gone and its
result would be refused by their fencing token, so nothing can be mixed up, and whoever reads the
history finds one name for one process.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from orchestration.process.process import Process
from orchestration.queries import processes
from orchestration.runtime import database
from orchestration.runtime.loop import Loop
from templates_registry.conf import registry_settings

log = logging.getLogger(__name__)


class Presence:
    """Who this process says it is, and that it lives."""

    def __init__(
        self,
        process: Process,
        row: processes.ProcessRow,
        *,
        running: Callable[[], int] = lambda: 0,
        slots: Callable[[], int] = lambda: 0,
        report: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        """Take the row as it is at the start; `running` of `slots` are taken by claims now."""
        self._process = process
        self._row = row
        self._running = running
        self._slots = slots
        self._report = report
        self._is_registered = False

    def register(self) -> None:
        """Write the row."""
        processes.register_process(self._row)
        self._is_registered = True

    def beat(self) -> None:
        """Keep the row fresh; a process that was declared lost meanwhile registers anew."""
        listener = self._process.listener
        is_known = processes.beat(
            self._row.worker_uuid,
            running=self._running(),
            slots=self._slots(),
            status="draining" if self._process.is_stopping else "running",
            has_liveness_lock=listener is not None and listener.has_liveness_lock,
            report=self._report(),
        )
        if not is_known:
            log.warning("worker.lost", extra={"worker_uuid": str(self._row.worker_uuid)})
            self.register()

    def leave(self) -> None:
        """Close the row; a database that is gone finds out by the missing heartbeats."""
        if not self._is_registered:
            return
        try:
            database.check_reachable()
            processes.leave(self._row.worker_uuid)
        except database.CONNECTION_ERRORS as error:
            log.warning("process.leave_failed", extra={"error": str(error).strip()})
        finally:
            database.release_connections()

    def loop(self, *, heartbeat_seconds: float) -> Loop:
        """Return the loop that does nothing but beat, for a process without claims."""

        def beat_once() -> int:
            self.beat()
            return 0

        return Loop("heartbeat", beat_once, idle_seconds=heartbeat_seconds)


def process_row(
    process: Process,
    *,
    namespaces: Sequence[str] = (),
    handlers: Sequence[str] = (),
    slots: int = 0,
) -> processes.ProcessRow:
    """Describe the process for the registry; the liveness lock follows with the first beat."""
    identity = process.identity
    return processes.ProcessRow(
        worker_uuid=identity.uuid,
        kind=identity.kind,
        name=identity.name,
        hostname=identity.hostname,
        pid=identity.pid,
        version=identity.version,
        environment=registry_settings().environment,
        namespaces=list(namespaces),
        handlers=list(handlers),
        slots=slots,
        deployment_mode=process.mode,
    )
