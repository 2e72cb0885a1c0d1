"""Makes, starts and shares the embedded PostgreSQL; every user of it holds a lease.

`EmbeddedServer` is made by the settings, which touches nothing. The first connection of a process
calls `ensure()`: it takes the lease, and whoever finds no server running makes the data and starts
it, one at a time. Nobody stops it on purpose but the last one out; `keeper` does so for processes
that were killed. fsync stays on.
"""

import atexit
import fcntl
import hashlib
import logging
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasker_project.embedded import account, keeper, lease, postmaster
from tasker_project.embedded.binaries import EmbeddedError, newest, programs

log = logging.getLogger(__name__)

NAME = "tasker"  # of the database and of its owner
PORT = "5432"  # of the socket's name; no TCP port is opened
LONGEST_SOCKET_BYTES = 100  # the kernel allows 107
START_SECONDS = 30
RETRY_SECONDS = 10.0  # children of a killed server need a moment to notice
OPTIONS = {
    "listen_addresses": "",
    "timezone": "UTC",  # initdb would inherit TZ
    "log_timezone": "UTC",
    "max_connections": "200",  # three processes at their greatest pool, and the tests
    "autovacuum_naptime": "10s",  # queues turn over: three dead rows a step (migration 0008)
}


class EmbeddedServer:
    """One data folder with its server; `major` names the folder and the version of new data."""

    def __init__(
        self, root: Path, *, major: str = "", options: Mapping[str, str] | None = None
    ) -> None:
        """Touch nothing; `options` are settings of the server beside our own."""
        self.home = root / f"pg{major}"
        self.data = self.home / "data"
        self.major = major
        self._options = dict(options or {})
        self._mutex = threading.RLock()
        self._lease: int | None = None
        os.register_at_fork(after_in_child=self._forget_lease)

    @property
    def socket_folder(self) -> Path:
        """Folder of the unix socket: beside the data, or in the temp folder if that is too long."""
        folder = self.home / "run"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_BYTES:
            return folder
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"tasker-{os.geteuid()}-{digest}"

    def database_settings(self) -> dict[str, Any]:
        """Return the entry of DATABASES; nothing is started."""
        return {
            "ENGINE": "tasker_project.embedded",
            "NAME": NAME,
            "USER": NAME,
            "HOST": str(self.socket_folder),
            "PORT": PORT,
        }

    def ensure(self) -> None:
        """Hold the lease and have the server run; cheap when both is so.

        Raises `EmbeddedError` when it cannot be started.
        """
        with self._mutex:
            if self._lease is None:
                self._take_lease()
            if not postmaster.is_ready(self.data):
                self._start()

    def release(self) -> None:
        """Give the lease back; the last one out stops the server and waits for its end."""
        with self._mutex:
            if self._lease is None:
                return
            if lease.try_exclusive(self._lease):
                postmaster.stop(self.data)
            self._forget_lease()

    def pin(self) -> None:
        """Keep the server up until `unpin`, also after this process has ended."""
        self.ensure()
        fd = lease.open_lock(self.home / "pinned")
        if lease.try_exclusive(fd):
            pid = keeper.spawn("pin", self.home, fd)
            _wait_until(lambda: (self.home / "pinned").read_text() == str(pid))
        os.close(fd)

    def unpin(self) -> bool:
        """Let the server stop with its last user; tell whether it was kept up."""
        if not self.is_pinned():
            return False
        os.kill(int((self.home / "pinned").read_text()), 15)
        _wait_until(lambda: not lease.is_held(self.home / "pinned"))
        (self.home / "pinned").write_text("")
        return True

    def is_pinned(self) -> bool:
        """Tell whether `pin` keeps the server up."""
        return self.home.exists() and lease.is_held(self.home / "pinned")

    def stop_unused(self) -> bool:
        """Stop the server unless others use it; tell whether nobody does."""
        if not self.home.exists():
            return True
        fd = lease.open_lock(self.home / "lease")
        try:
            fcntl.flock(fd, fcntl.LOCK_SH)  # waits while the keeper stops the server
            is_unused = lease.try_exclusive(fd)
            if is_unused:
                postmaster.stop(self.data)
            return is_unused
        finally:
            os.close(fd)

    def version(self) -> str:
        """Return the major version of the data; without data, the one that new data will have."""
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return self.major or newest()

    def _forget_lease(self) -> None:
        if self._lease is not None:
            os.close(self._lease)
            self._lease = None

    def _take_lease(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lease = lease.open_lock(self.home / "lease")
        fcntl.flock(self._lease, fcntl.LOCK_SH)  # waits while the keeper stops the server
        atexit.register(self.release)
        with lease.exclusive(self.home / "starting"):
            self._post_keeper()

    def _post_keeper(self) -> None:
        """Have a keeper process; its lock is handed down to it, so there is no gap."""
        fd = lease.open_lock(self.home / "keeper")
        if lease.try_exclusive(fd):
            keeper.spawn("keep", self.home, fd)
        os.close(fd)

    def _start(self) -> None:
        with lease.exclusive(self.home / "starting"):
            if postmaster.is_ready(self.data):
                return
            began = time.monotonic()
            if not self.data.exists():
                self._make_data()
            self._make_socket_folder()
            self._run_server()
            seconds = round(time.monotonic() - began, 2)
            log.info("database.started", extra={"data": str(self.data), "seconds": seconds})

    def _make_data(self) -> None:
        """Make the data under a temporary name, so that half-made data is never used."""
        way = account.choose_way()
        account.refuse_unreachable(way, self.home, programs(self.version()) / "postgres")
        account.hand_over(self.home, way)
        (self.home / "way").write_text(f"{way}\n")
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        locale = ["--locale=C"]
        if int(self.version()) >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        owner = [f"--username={NAME}", "--auth=trust", "--encoding=UTF8"]
        self._call("initdb", "-D", str(fresh), *owner, *locale)
        self._call(
            "postgres", "--single", "-D", str(fresh), "postgres", said=f"CREATE DATABASE {NAME}"
        )
        fresh.rename(self.data)

    def _make_socket_folder(self) -> None:
        """Make the socket's folder for its owner alone; in the temp folder, trust no other's."""
        folder = self.socket_folder
        folder.mkdir(mode=0o700, exist_ok=True)
        account.hand_over(folder, account.read_way(self.home))
        if folder.is_symlink() or folder.stat().st_mode & 0o077:
            raise EmbeddedError(f"The folder {folder} is open to others; remove it.")

    def _run_server(self) -> None:
        options = {**OPTIONS, **self._options, "unix_socket_directories": str(self.socket_folder)}
        words = [f"-c {name}={value}" for name, value in options.items()]
        command = " ".join(shlex.quote(part) for word in words for part in word.split(" ", 1))
        logfile = str(self.home / "postgres.log")
        start = ["-D", str(self.data), "-w", "-t", str(START_SECONDS), "-l", logfile]
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            postmaster.forget_dead(self.data)
            try:
                self._call("pg_ctl", "start", *start, "-o", command)
            except EmbeddedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _call(self, program: str, *arguments: str, said: str = "") -> None:
        """Run one of PostgreSQL's programs as the right user, without any PG* variable."""
        way = account.read_way(self.home)
        path = programs(self.version()) / program
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            [*account.prefix(way), str(path), *arguments],
            input=said,
            cwd=self.home,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **account.identity(way),
        )
        if done.returncode:
            raise EmbeddedError(
                f"Starting the embedded PostgreSQL in {self.home} failed ({program} as {way!r}): "
                f"{self._reason(done.stdout)}. Mend that, or set DATABASE_URL or TASKER_DATA_DIR."
            )

    def _reason(self, said: str | None) -> str:
        """Return the last lines that PostgreSQL said about a failure."""
        if not said:
            try:
                said = (self.home / "postgres.log").read_text(errors="replace")
            except OSError:
                said = "no word of it"
        return " | ".join(said.strip().splitlines()[-3:])


def _wait_until(condition: Any, *, within: float = 5.0) -> None:
    """Wait for another process of ours; it needs a few milliseconds."""
    deadline = time.monotonic() + within
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
