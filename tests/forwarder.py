"""A TCP door to the test database that a test can shut and open: an outage without an outage.

It can also swallow: what is said on the connections of the moment vanishes, and neither side hears
that the other is gone, as when a machine or a router between them loses power.
"""

import socket
import threading
from contextlib import suppress
from urllib.parse import quote

from django.db import connections

CHUNK_BYTES = 65_536


class Forwarder:
    """Listens on a port of its own and carries bytes to the database while it is open."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.refused = 0
        self._is_open = False
        self._is_closed = False
        self._sockets: set[socket.socket] = set()
        self._mute: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The database's address through this door."""
        given = connections["default"].settings_dict
        password = f":{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else ""
        user = f"{quote(given['USER'], safe='')}{password}@" if given["USER"] else ""
        return f"postgresql://{user}127.0.0.1:{self.port}/{given['NAME']}"

    def open(self) -> None:
        """Let connections through from now on."""
        self._is_open = True

    def shut(self) -> None:
        """Cut all connections and refuse new ones."""
        self._is_open = False
        with self._lock:
            for each in self._sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def swallow(self) -> None:
        """Carry nothing any more on the connections there are; new ones work."""
        with self._lock:
            self._mute |= self._sockets

    def close(self) -> None:
        """End everything."""
        self._is_closed = True
        self.shut()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if not self._is_open:
                self.refused += 1
                client.close()
                continue
            database = connect_to_database()
            with self._lock:
                self._sockets |= {client, database}
            for source, target in ((client, database), (database, client)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if source not in self._mute:
                    target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                if source not in self._mute or self._is_closed:
                    each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._sockets.discard(source)
        source.close()


def connect_to_database() -> socket.socket:
    """Open a bare connection to the server of the tests."""
    given = connections["default"].settings_dict
    host, port = str(given["HOST"] or "localhost"), int(given["PORT"] or 5432)
    if host.startswith("/"):
        bare = socket.socket(socket.AF_UNIX)
        bare.connect(f"{host}/.s.PGSQL.{port}")
        return bare
    return socket.create_connection((host, port))
