"""The small HTTP server of an orchestrator or worker: Django's handler, our routes, no middleware.

It is a part of the process like a loop. Not for the web process, and not meant for more than probes
and scrapes: one thread per connection, five seconds for a client to speak.
"""

import logging
import os
import select
import socketserver
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

log = logging.getLogger(__name__)

URLCONF = "orchestration.http.urls"
"""Of a process that serves nothing but what all of them serve."""


class StatusHandler(WSGIHandler):
    """Django's WSGI application with the routes of the status server."""

    def __init__(self, urlconf: str) -> None:
        """Serve the routes of this module."""
        super().__init__()
        self._urlconf = urlconf

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the shortest chain; redirects, hosts and sessions are no concern of a probe."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(
            self._get_response  # type: ignore[attr-defined]  # missing in the stubs
        )

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the status routes; ROOT_URLCONF stays, handlers may reverse its names."""
        request.urlconf = self._urlconf
        return super().get_response(request)


class _Connection(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        log.debug("http.request", extra={"line": format % args})


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # WSGIServer's own asks the name service for the host's full name, which may take seconds.
        socketserver.TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("http.connection_failed")


class StatusServer:
    """A part of the process that answers probes."""

    name = "status-server"
    stop_seconds = 2.0

    def __init__(self, *, host: str, port: int, urlconf: str = URLCONF) -> None:
        """Bind the port; raises OSError when it is taken."""
        self.failure: BaseException | None = None
        self._server = _Server((host, port), _Connection)
        self._server.set_app(StatusHandler(urlconf))
        self._stopping = False
        self._has_ended = False
        self._read_fd, self._write_fd = os.pipe()
        self._thread = threading.Thread(target=self._serve, name=self.name, daemon=True)
        self._on_end: Callable[[], None] = lambda: None

    @property
    def port(self) -> int:
        """The bound port; differs from the wanted one only when that was 0."""
        return self._server.server_port

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return not self._has_ended

    def start(self, on_end: Callable[[], None]) -> None:
        """Start to answer."""
        self._on_end = on_end
        self._thread.start()

    def stop(self) -> None:
        """Stop to accept connections."""
        self._stopping = True
        os.write(self._write_fd, b".")

    def abandon(self) -> None:
        """Leave what is unfinished; its threads die with the process."""

    def _serve(self) -> None:
        # Not serve_forever(): that wakes up twice a second to see whether it should stop.
        try:
            listening = self._server.fileno()
            while not self._stopping:
                readable, _, _ = select.select([listening, self._read_fd], [], [])
                if listening in readable:
                    self._server.handle_request()
        except BaseException as failure:
            self.failure = failure
            log.exception("status_server.failed")
        finally:
            self._server.server_close()
            self._has_ended = True
            self._on_end()
