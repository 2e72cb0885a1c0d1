"""A worker on threads of a program that is something else as well.

The same parts as `run_worker`, on one thread more; only the signals, the name and the time limits
of the process stay with the host. At most one worker runs in a process.
"""

import logging
import threading
import time
from collections.abc import Sequence

from orchestration import health
from orchestration.conf import engine_settings
from orchestration.process import Process
from orchestration.runtime.identity import identify_process
from orchestration.runtime.startup import BadConfiguration
from orchestration.runtime.supervisor import Part
from templates_registry.conf import Range
from workers.conf import worker_settings
from workers.errors.runtime import WorkerBootstrapError
from workers.worker import WorkerOptions, build_parts

log = logging.getLogger(__name__)

START_SECONDS = 60.0
LOOK_SECONDS = 0.02
STOP_MARGIN_SECONDS = 10.0


class InProcessWorker:
    """One start of a worker; a stopped one does not come back."""

    def __init__(
        self, *, worker_id: str = "", namespaces: Sequence[str] = (), handlers: Sequence[str] = ()
    ) -> None:
        """Prepare; nothing runs before `start`."""
        settings, engine = worker_settings(), engine_settings()
        identity = identify_process("worker", name=worker_id or settings.worker_id)
        self.process = Process(identity, mode=engine.mode, http_port=0, is_guest=True)
        self._options = WorkerOptions(
            namespaces=list(namespaces),
            slots=Range(settings.min_concurrent_handlers, settings.max_concurrent_handlers),
            mode=engine.mode,
            worker_id=identity.name,
            http_port=0,
            idle_seconds=None,
            grace_seconds=engine.shutdown_grace_seconds,
            handlers=list(handlers),
            syncs_templates=settings.sync_templates_on_start,
        )
        self._refusal = ""
        self._thread = threading.Thread(target=self._run, name="tasker-worker", daemon=True)

    @property
    def worker_id(self) -> str:
        """The name that is shown and recorded."""
        return self.process.identity.name

    @property
    def handle_id(self) -> str:
        """The id of this start."""
        return str(self.process.identity.uuid)

    @property
    def is_running(self) -> bool:
        """It has started and was not asked to stop."""
        return self._thread.is_alive() and self.process.operational_state == "normal"

    def start(self) -> None:
        """Return when steps can be claimed; raises WorkerBootstrapError when they never will."""
        self._thread.start()
        until = time.monotonic() + START_SECONDS
        while self._thread.is_alive() and time.monotonic() < until:
            if self.process.operational_state == "normal":
                return
            time.sleep(LOOK_SECONDS)
        self.stop()
        why = self._refusal or f"it was not ready within {START_SECONDS:.0f} s; see the log"
        raise WorkerBootstrapError(f"Worker {self.worker_id} could not be started: {why}")

    def ask_to_stop(self) -> None:
        """Begin to stop: nothing is claimed any more, handlers get their grace."""
        if self._thread.is_alive():
            self.process.shutdown.ask()

    def stop(self) -> None:
        """Stop and wait for the end."""
        self.ask_to_stop()
        self._thread.join(self._options.grace_seconds + STOP_MARGIN_SECONDS)

    def _run(self) -> None:
        before = health.current()
        try:
            self.process.run(
                self._build,
                statement_timeout_ms=engine_settings().engine_statement_timeout_ms,
            )
        except Exception as error:
            self._refusal = f"{type(error).__name__}: {error}"
            log.exception("worker.died", extra={"worker_id": self.worker_id})
        finally:
            health.install(before)  # the host's own probes speak for the host again

    def _build(self) -> Sequence[Part]:
        try:
            return build_parts(self.process, self._options)
        except BadConfiguration as error:
            self._refusal = str(error)
            raise
