"""One process, from its command line to its exit code: what starts and stops in which order.

`run_orchestrator` and `workers.worker` hand in a function that builds their parts; it runs once the
database answers. The status server stands before that, so that probes are answered meanwhile.
"""

import gc
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from orchestration import health, metrics
from orchestration.conf import engine_settings
from orchestration.http.status_server import URLCONF, StatusServer
from orchestration.messaging.listener import Listener
from orchestration.runtime import database
from orchestration.runtime.executor_pool import ExecutorPool
from orchestration.runtime.identity import ProcessIdentity
from orchestration.runtime.log_context import name_process
from orchestration.runtime.loop import Loop
from orchestration.runtime.shutdown import Shutdown
from orchestration.runtime.startup import (
    BadConfiguration,
    ShutdownAsked,
    application_name,
    name_connections,
    wait_for_database,
)
from orchestration.runtime.supervisor import (
    EXIT_ASKED,
    EXIT_BAD_CONFIGURATION,
    Part,
    Supervisor,
)

log = logging.getLogger(__name__)
Result = TypeVar("Result")

PROOF_FAILED = (
    "A notification sent over the database connection did not reach the listener within 2 s: a "
    "transaction pooler drops LISTEN without an error. Set DATABASE_DIRECT_URL to a connection "
    "straight to the server, or use mode PollingOnly."
)
LOOK_FOR_SHUTDOWN_SECONDS = 0.2


class Process:
    """An orchestrator or a worker, without its business."""

    def __init__(
        self, identity: ProcessIdentity, *, mode: str, http_port: int, is_guest: bool = False
    ) -> None:
        """Prepare; nothing is opened before `run`.

        A guest lives on a thread of another program: it leaves the signals, the name and the
        connections of that program alone.
        """
        self.identity = identity
        self.mode = mode
        self.shutdown = Shutdown()
        self.listener: Listener | None = None
        self.loops: list[Loop | ExecutorPool] = []
        self.on_stopping: Callable[[], None] = lambda: None
        self.on_end: Callable[[], None] = lambda: None
        self.more_status: Callable[[], Mapping[str, object]] = dict
        self.status_urlconf = URLCONF
        self._http_port = http_port
        self._is_guest = is_guest
        self._supervisor = Supervisor(
            [],
            self.shutdown,
            on_stopping=lambda: self.on_stopping(),
            report_status=self._log_status,
        )

    @property
    def operational_state(self) -> str:
        """One of startup, normal, graceful_shutdown, emergency, stopped."""
        return self._supervisor.operational_state

    @property
    def is_stopping(self) -> bool:
        """It was asked to end, or has to."""
        return self.operational_state not in ("startup", "normal")

    @property
    def listens(self) -> bool:
        """The mode has a LISTEN connection."""
        return self.mode != "PollingOnly"

    def poll_seconds(self, *, poll_ms: int) -> float:
        """Return the pause between two polls of a queue in this mode, now (engine.md 6.6).

        `poll_ms` is that of mode Hybrid while the listener is up. While it is down every mode
        polls as often as PollingOnly, and while it is up EventDrivenOnly leaves it to the sweep.
        """
        settings = engine_settings()
        if self.listener is None or not self.listener.is_connected:
            return settings.polling_only_ms / 1000
        return float(settings.sweep_seconds) if self.mode == "EventDrivenOnly" else poll_ms / 1000

    def listen(
        self,
        channels: Mapping[str, Callable[[], None]],
        *,
        drain: Callable[[], None],
        holds_liveness_lock: bool = False,
    ) -> None:
        """Make ready the listener; without effect in mode PollingOnly."""
        if self.listens:
            self.listener = Listener(
                channels,
                on_reconnect=drain,
                liveness_lock=self.identity.uuid if holds_liveness_lock else None,
                application_name=application_name(self.identity, suffix=":listen"),
                mode=self.mode,
            )

    def run(self, prepare: Callable[[], Sequence[Part]], *, statement_timeout_ms: int) -> int:
        """Live until asked to stop; return the exit code.

        `prepare` returns the parts in the order of their start. It runs again when the database
        fails it, and may raise BadConfiguration.
        """
        if not self._is_guest:
            self._take_over(statement_timeout_ms=statement_timeout_ms)
        database.watch_recovery(self._hurry)
        try:
            self._serve_status()
            parts = self._wait(lambda: self._prepare(prepare), purpose="startup")
            self._start_listener()
            if not self._is_guest:
                _spare_what_stays()
            log.info("process.started", extra=self._describe())
            return self._supervisor.run(parts)
        except ShutdownAsked:
            return self._supervisor.stop(EXIT_ASKED)
        except BadConfiguration as error:
            log.error("config.refused", extra={"error": str(error)})
            return self._supervisor.stop(EXIT_BAD_CONFIGURATION)
        finally:
            database.watch_recovery(None)
            self.on_end()
            log.info("process.stopped", extra=self._describe())
            self.shutdown.uninstall()

    def _take_over(self, *, statement_timeout_ms: int) -> None:
        """Make the operating system's process this one's own."""
        self.shutdown.install()
        name_process(kind=self.identity.kind, name=self.identity.name)
        name_connections(self.identity, statement_timeout_ms=statement_timeout_ms, mode=self.mode)

    def _hurry(self) -> None:
        """End the pauses of parts that wait for the database, since another part has it back.

        Every part has pauses of its own, which grow; without this the last of them would come back
        half a minute after the database.
        """
        for part in self.loops:
            if part.is_backing_off:
                part.wake()
        if self.listener is not None:
            self.listener.hurry()

    def _wait(self, action: Callable[[], Result], *, purpose: str) -> Result:
        return wait_for_database(action, shutdown=self.shutdown, purpose=purpose)

    def _prepare(self, prepare: Callable[[], Sequence[Part]]) -> Sequence[Part]:
        if missing := health.missing_schema():
            raise BadConfiguration(f"The database lacks what the engine needs: {missing}.")
        try:
            parts = prepare()
        finally:
            database.release_connections()
        self.loops = [part for part in parts if isinstance(part, Loop | ExecutorPool)]
        return parts

    def _serve_status(self) -> None:
        if not self._http_port:
            return
        try:
            server = StatusServer(
                host=engine_settings().http_bind,
                port=self._http_port,
                urlconf=self.status_urlconf,
            )
        except OSError as error:
            raise BadConfiguration(
                f"The status server cannot use port {self._http_port}: {error.strerror}. Choose "
                "another with --http-port, or 0 for none."
            ) from error
        self._supervisor.start(server)

    def _start_listener(self) -> None:
        """Start to listen and prove that notifications arrive."""
        listener = self.listener
        if listener is None:
            return
        self._supervisor.start(listener)
        while not listener.wait_connected(LOOK_FOR_SHUTDOWN_SECONDS):
            if self.shutdown.is_asked:
                raise ShutdownAsked
        is_proved = self._wait(listener.prove, purpose="listener-proof")
        database.release_connections()
        if not is_proved and listener.is_connected:
            raise BadConfiguration(PROOF_FAILED)

    def _describe(self) -> dict[str, object]:
        return {
            "worker_uuid": str(self.identity.uuid),
            "mode": self.mode,
            "uptime_seconds": round(self.identity.uptime_seconds, 1),
        }

    def _log_status(self) -> None:
        listener = self.listener
        log.info(
            "process.status",
            extra={
                **self._describe(),
                "is_listening": listener is not None and listener.is_connected,
                "backing_off": [loop.name for loop in self.loops if loop.is_backing_off],
                **self.more_status(),
                "counters": {name: value for name, value in metrics.snapshot().items() if value},
            },
        )


def _spare_what_stays() -> None:
    """Keep the garbage collector from walking what was imported, which stays to the end."""
    gc.collect()
    gc.freeze()
