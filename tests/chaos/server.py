"""A PostgreSQL of the run's own: the embedded one, in a folder that nobody else knows.

The engine's processes get an address, not the embedded backend: a server that is down stays down
until the fault is over, as it would in production. fsync is on.
"""

import os
import signal
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import NAME, EmbeddedServer

STOP_SECONDS = 20.0
SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
ATTEMPT_SECONDS = 0.2


class Server:
    """One server from start to end of the run."""

    def __init__(self, folder: Path, *, major: str = "") -> None:
        self._embedded = EmbeddedServer(folder, major=major)
        self.outages: list[tuple[float, float]] = []  # from and until, seconds of the epoch

    @property
    def url(self) -> str:
        """The address of the database."""
        return f"postgresql://{NAME}@{quote(str(self._embedded.socket_folder), safe='')}/{NAME}"

    @property
    def version(self) -> str:
        """The major version."""
        return self._embedded.version()

    def start(self) -> None:
        """Make the data if there is none, and run the server."""
        self._embedded.ensure()

    def restart(self, how: str, *, down_seconds: float) -> None:
        """Stop the server, `fast` (sessions end) or `immediate` (a crash), and start it again."""
        pid = postmaster.pid_of(self._embedded.data)
        if pid is None:
            raise RuntimeError(f"The server of {self._embedded.data} does not run.")
        gone = time.time()
        os.kill(pid, SIGNALS[how])
        deadline = time.monotonic() + STOP_SECONDS
        while postmaster.is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        if postmaster.is_alive(pid):
            os.kill(pid, signal.SIGKILL)
        time.sleep(down_seconds)
        self._embedded.ensure()
        self.outages.append((gone, time.time()))

    def stop(self) -> None:
        """Stop the server for good."""
        self._embedded.release()

    def connect(self, *, within: float = 15.0) -> "psycopg.Connection[tuple[object, ...]]":
        """Open an autocommit connection, waiting for a server that is just starting."""
        deadline = time.monotonic() + within
        while True:
            try:
                return psycopg.connect(self.url, autocommit=True, application_name="chaos")
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(ATTEMPT_SECONDS)
