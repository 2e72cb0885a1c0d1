"""LISTEN on a connection of its own; a notification only wakes somebody, who then reads a queue.

The connection is autocommit, outside the pool, straight to the server (`DATABASE_DIRECT_URL` where
the pooled one goes through a transaction pooler). It also carries the liveness lock of a worker.
Lost: connect again with growing pauses, LISTEN again, then `on_reconnect` drains what was missed.

A connection that is dead without knowing it (a machine gone, a network that swallows everything)
would be silent for ever. So silence is answered by a question; no answer within five seconds is a
lost connection.

Why `select` over psycopg's `notifies(timeout=…)`: that does not return when a signal handler only
set a flag; here a byte in the pipe ends the wait at once, and nothing polls.
"""

import logging
import os
import re
import select
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import connections
from django.utils import timezone
from psycopg import sql

from orchestration import metrics
from orchestration.messaging.messages import DUE_WORK_CHANNEL, ORCHESTRATION_CHANNEL
from orchestration.runtime import database, sessions

log = logging.getLogger(__name__)

LOCK_RETRY_SECONDS = 0.5
PROBES = 4
PIPE_BYTES = 64
QUESTION = "SELECT 1"
CHECK_SECONDS = 15.0
"""Silence after which the connection has to answer a question."""
READY_AT = re.compile(rb'"ready_at": ?"([0-9T:.+-]+)"')
TAKE_LIVENESS_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s::text, 0))"


class Listener:
    """A part of a process that turns notifications into wake-ups."""

    name = "listener"
    stop_seconds = 6.0

    def __init__(
        self,
        channels: Mapping[str, Callable[[], None]],
        *,
        on_reconnect: Callable[[], None],
        liveness_lock: UUID | None = None,
        application_name: str = "tasker:listener",
        mode: str = "Hybrid",
    ) -> None:
        """Map channels to wake-ups; `on_reconnect` is also called for the first connection."""
        self.failure: BaseException | None = None
        self.has_liveness_lock = False
        self._channels = dict(channels)
        self._probe_channel = f"tasker_probe_{uuid4().hex}"
        self._on_reconnect = on_reconnect
        self._liveness_lock = liveness_lock
        self._application_name = application_name
        self._mode = mode
        self._connected = threading.Event()
        self._probed = threading.Event()
        self._noted: set[str] = set()
        self._down_since: float | None = time.monotonic()
        self._was_connected = False
        self._stopping = False
        self._has_ended = False
        self._read_fd, self._write_fd = os.pipe()
        self._thread = threading.Thread(target=self._live, name="listener", daemon=True)
        self._on_end: Callable[[], None] = lambda: None

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return not self._has_ended

    @property
    def is_connected(self) -> bool:
        """Notifications arrive now."""
        return self._connected.is_set()

    @property
    def down_seconds(self) -> float:
        """How long there has been no connection; 0 while there is one."""
        since = self._down_since
        return 0.0 if since is None else time.monotonic() - since

    def start(self, on_end: Callable[[], None]) -> None:
        """Start the thread."""
        self._on_end = on_end
        self._thread.start()

    def stop(self) -> None:
        """End the wait; the connection closes, and with it LISTEN and the liveness lock."""
        self._stopping = True
        os.write(self._write_fd, b".")

    def hurry(self) -> None:
        """Try again now if the connection is lost; from any thread."""
        if not self.is_connected:
            os.write(self._write_fd, b".")

    def abandon(self) -> None:
        """Say that nobody waits any longer."""
        log.error("listener.abandoned")

    def wait_connected(self, within_seconds: float) -> bool:
        """Wait for the connection; return whether it is there."""
        return self._connected.wait(within_seconds)

    def prove(self, *, within_seconds: float = 2.0) -> bool:
        """Send notifications over the pooled connection; return whether one arrives here.

        More than one: this session may be ended in between, and nobody hears what was sent then.
        """
        self._probed.clear()
        pause_seconds = within_seconds / PROBES
        return any(self._probe(pause_seconds) for _ in range(PROBES))

    def _probe(self, within_seconds: float) -> bool:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [self._probe_channel])
        return self._probed.wait(within_seconds)

    def _live(self) -> None:
        try:
            self._keep_listening()
        except BaseException as failure:
            self.failure = failure
            log.exception("listener.failed")
        finally:
            self._mark_down()
            self._has_ended = True
            self._on_end()

    def _keep_listening(self) -> None:
        pause_seconds = database.FIRST_PAUSE_SECONDS
        while not self._stopping:
            try:
                with open_direct_connection(self._application_name) as connection:
                    self._subscribe(connection)
                    pause_seconds = database.FIRST_PAUSE_SECONDS
                    self._dispatch_until_stopped(connection)
            except database.CONNECTION_ERRORS as error:
                self._mark_down()
                metrics.CONNECTION_ERRORS.add()
                log.warning(
                    "listener.disconnected",
                    extra={"error": str(error).strip(), "retry_in_seconds": pause_seconds},
                )
                self._wait(pause_seconds)
                pause_seconds = database.next_pause(pause_seconds)

    def _wait(self, pause_seconds: float) -> None:
        """Wait until the pause is over, or somebody wants an end or has the database back."""
        readable, _, _ = select.select([self._read_fd], [], [], pause_seconds)
        if readable:
            os.read(self._read_fd, PIPE_BYTES)

    def _subscribe(self, connection: psycopg.Connection[Any]) -> None:
        connection.add_notify_handler(self._note)
        for channel in (*self._channels, self._probe_channel):
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._try_liveness_lock(connection)
        if self._was_connected:
            self._count_switch("to_events")
            metrics.LISTENER_RECONNECTIONS.add()
            log.warning("listener.reconnected", extra={"down_seconds": self.down_seconds})
        self._was_connected = True
        self._down_since = None
        self._connected.set()
        metrics.LISTENER_ACTIVE.set(1, mode=self._mode)
        self._on_reconnect()

    def _dispatch_until_stopped(self, connection: psycopg.Connection[Any]) -> None:
        pgconn = connection.pgconn
        while not self._stopping:
            self._dispatch(pgconn)
            waits_for_lock = self._liveness_lock is not None and not self.has_liveness_lock
            timeout = LOCK_RETRY_SECONDS if waits_for_lock else CHECK_SECONDS
            readable, _, _ = select.select([pgconn.socket, self._read_fd], [], [], timeout)
            if pgconn.socket in readable:
                pgconn.consume_input()
            elif readable:
                os.read(self._read_fd, PIPE_BYTES)  # asked to stop, or to hurry a moment too late
            elif waits_for_lock:
                self._try_liveness_lock(connection)
            else:
                connection.execute(QUESTION)

    def _note(self, notification: psycopg.Notify) -> None:
        """Keep a notification that arrived together with the answer to a statement."""
        _count_notification(notification.channel, notification.payload.encode())
        self._noted.add(notification.channel)

    def _dispatch(self, pgconn: psycopg.pq.abc.PGconn) -> None:
        """Wake each addressee of the notifications at hand once."""
        channels, self._noted = self._noted, set()
        while notification := pgconn.notifies():
            channel = notification.relname.decode()
            _count_notification(channel, notification.extra)
            channels.add(channel)
        if self._probe_channel in channels:
            self._probed.set()
        for channel in channels:
            if wake := self._channels.get(channel):
                wake()

    def _try_liveness_lock(self, connection: psycopg.Connection[Any]) -> None:
        """Take the lock; a session of ours that the server still believes alive may hold it yet."""
        if self._liveness_lock is not None:
            row = connection.execute(TAKE_LIVENESS_LOCK, [str(self._liveness_lock)]).fetchone()
            self.has_liveness_lock = bool(row and row[0])

    def _mark_down(self) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
        self.has_liveness_lock = False
        metrics.LISTENER_ACTIVE.set(0, mode=self._mode)
        if self._connected.is_set():
            self._connected.clear()
            if not self._stopping:
                self._count_switch("to_polling")
            # Whoever relied on notifications has to fall back to polling from now on.
            for wake in self._channels.values():
                wake()

    def _count_switch(self, direction: str) -> None:
        if self._mode == "Hybrid":
            if direction == "to_polling":
                log.warning("polling.fallback")
            metrics.MODE_SWITCHES.add(direction=direction)


def _count_notification(channel: str, payload: bytes) -> None:
    is_engines = channel in (ORCHESTRATION_CHANNEL, DUE_WORK_CHANNEL)
    metrics.NOTIFICATIONS_RECEIVED.add(channel_kind="orchestration" if is_engines else "namespace")
    if found := READY_AT.search(payload):
        ready_at = datetime.fromisoformat(found[1].decode())
        lag_ms = (timezone.now() - ready_at).total_seconds() * 1000
        metrics.LISTENER_LAG.observe(max(0.0, lag_ms))  # two machines have two clocks


def open_direct_connection(application_name: str) -> psycopg.Connection[Any]:
    """Open an autocommit connection past any pool or pooler.

    Raises what `database.CONNECTION_ERRORS` lists. Without `DATABASE_DIRECT_URL` the parameters are
    those of the default connection.
    """
    options: dict[str, Any] = {**sessions.CLIENT_KEEPALIVES, "application_name": application_name}
    if not settings.DATABASE_DIRECT_URL:
        return database.open_unpooled(**options)
    connection = database.connect(settings.DATABASE_DIRECT_URL, prepare_threshold=None, **options)
    # By statements: a session pooler, which would do here, refuses startup options.
    for name, value in sessions.SERVER_KEEPALIVES.items():
        connection.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), value))
    return connection
