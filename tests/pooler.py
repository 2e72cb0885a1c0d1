"""A PgBouncer of the tests' own, in transaction mode, on a free port in front of the test database.

The program is optional (Debian: `apt install pgbouncer`): what needs it is skipped where it is
missing. `pytest --pooler=direct` or `--pooler=polling` sends the child processes of all tests
through it: with a direct connection for LISTEN, or in PollingOnly without one.
"""

import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.db import connections
from psycopg.rows import dict_row

from tasker_project.embedded import account
from tests.processes import database_url, wait_until

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
WAYS = ("direct", "polling")
CONFIGURATION = """\
[databases]
{name} = {server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
admin_users = {user}
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
log_connections = 0
log_disconnections = 0
"""
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")


class Pooler:
    """One running PgBouncer; `more` are further lines of its configuration."""

    def __init__(self, *more: str, size: int = 20) -> None:
        assert PROGRAM, "pgbouncer is not installed"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        given = connections["default"].settings_dict
        self._name, self._user = str(given["NAME"]), str(given["USER"])
        self._folder = Path(tempfile.mkdtemp(prefix="tasker-pooler-"))
        way = account.choose_way()
        account.hand_over(self._folder, way)
        text = CONFIGURATION.format(
            name=self._name,
            user=self._user,
            server=_server_address(),
            port=self.port,
            size=size,
        )
        file = self._folder / "pgbouncer.ini"
        file.write_text("\n".join([text, *more, ""]))
        self.log = self._folder / "log"
        with self.log.open("w") as log:
            self.child = subprocess.Popen(
                [*account.prefix(way), PROGRAM, str(file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **account.identity(way),
            )
        try:
            wait_until(self._answers)
        except AssertionError:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The database's address through the pooler."""
        return f"postgresql://{quote(self._user, safe='')}@127.0.0.1:{self.port}/{self._name}"

    def environment(self, way: str) -> dict[str, str]:
        """Return what a process gets that goes through the pooler in one of two ways."""
        if way == "direct":
            return {"DATABASE_URL": self.url, "DATABASE_DIRECT_URL": database_url()}
        return {"DATABASE_URL": self.url, "TASKER_MODE": "PollingOnly"}

    def clients(self) -> set[str]:
        """Return the names of the programs that are connected."""
        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user={self._user} dbname=pgbouncer",
            autocommit=True,
            cursor_factory=psycopg.ClientCursor,
            row_factory=dict_row,
        ) as console:
            return {row["application_name"] for row in console.execute("SHOW CLIENTS")}

    def close(self) -> None:
        """End it."""
        self.child.terminate()
        self.child.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self.child.poll() is None, self.log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False


def _server_address() -> str:
    """Return where the test database is, in the words of PgBouncer."""
    given = connections["default"].settings_dict
    words = {
        "host": given["HOST"] or "localhost",
        "port": given["PORT"] or 5432,
        "user": given["USER"],
        "password": given["PASSWORD"],
        "dbname": given["NAME"],
    }
    return " ".join(f"{key}='{value}'" for key, value in words.items() if value)
