"""Handlers that call a real HTTP server, run by the executor."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from workers import APIMixin, StepHandler, api_handler, depends_on


class Server(ThreadingHTTPServer):
    """Remembers who called."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Service)
        self.connections_seen: set[Any] = set()


class Service(BaseHTTPRequestHandler):
    """Answers with what it was asked; the path says with which status."""

    protocol_version = "HTTP/1.1"
    server: Server

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        seen = {
            "method": self.command,
            "path": self.path,
            "key": self.headers.get("X-Key"),
            "body": self.rfile.read(length).decode(),
        }
        self.server.connections_seen.add(self.client_address)
        status = int(self.path.split("?")[0].rsplit("/", 1)[-1])
        body = json.dumps({"error": "odd", **seen} if status >= 400 else seen).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Say nothing."""


for verb in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(Service, f"do_{verb}", Service.answer)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def service() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def url(service) -> str:
    return f"http://127.0.0.1:{service.server_port}/v1"


@pytest.fixture
def deaf() -> Iterator[str]:
    """Return the address of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    """Return an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def calling(url, call, **attributes):
    return type("Calling", (APIMixin, StepHandler), {"base_url": url, "call": call, **attributes})


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_methods_with_a_body(bench, url, method):
    def call(self, context):
        answer = getattr(self, method)("/things/200", json={"a": 1}, headers={"X-Key": "k"})
        return self.api_success(answer)

    bench.handle(calling(url, call))

    found = bench.report_of(bench.claim())["result"]
    assert found["method"] == method.upper()
    assert found["path"] == "/v1/things/200"
    assert json.loads(found["body"]) == {"a": 1}
    assert found["key"] == "k"


@pytest.mark.parametrize("method", ["get", "delete"])
def test_methods_without_a_body(bench, url, method):
    def call(self, context):
        return self.api_success(getattr(self, method)("/things/200"))

    bench.handle(calling(url, call, default_headers={"X-Key": "always"}))

    found = bench.report_of(bench.claim())["result"]
    assert (found["method"], found["key"]) == (method.upper(), "always")


def test_a_failure_keeps_the_delay_that_the_service_asks_for(bench, url):
    def call(self, context):
        return self.api_failure(self.get("/things/503", params={"q": 1}))

    bench.handle(calling(url, call))

    report = bench.report_of(bench.claim())
    assert report["metadata"]["error_type"] == "service_unavailable"
    assert report["metadata"]["retryable"] is True
    assert report["error"]["message"] == "HTTP 503: odd"
    assert report["error"]["status_code"] == 503
    assert report["orchestration_metadata"]["backoff_hint"]["delay_seconds"] == 7
    assert report["metadata"]["context"]["response_body"]["path"] == "/v1/things/503?q=1"


@pytest.mark.parametrize("style", ["class", "function", "coroutine"])
def test_what_escapes_is_classified(bench, nobody, deaf, style):
    assert escaped(bench, style, nobody) == ("connection_error", True, "ConnectError")
    assert escaped(bench, style, deaf) == ("timeout", True, "ReadTimeout")


def escaped(bench, style, url):
    if style == "class":
        handler = calling(url, lambda self, context: self.get("/"), default_timeout=0.3)
    elif style == "function":

        @api_handler("ignored", url, timeout=0.3)
        def handler(api):
            api.get("/")
    else:

        @api_handler("ignored", url, timeout=0.3)
        async def handler(api):
            api.get("/")

    bench.handle(handler)
    metadata = bench.report_of(bench.claim())["metadata"]
    return metadata["error_type"], metadata["retryable"], metadata["context"]["exception_type"]


def test_an_unhandled_status_is_classified_too(bench, url):
    def call(self, context):
        self.get("/things/404").raw_response.raise_for_status()

    bench.handle(calling(url, call))

    metadata = bench.report_of(bench.claim())["metadata"]
    assert (metadata["error_type"], metadata["retryable"]) == ("not_found", False)


def test_a_function_gets_the_client_beside_what_it_asks_for(bench, url):
    @api_handler("ignored", url, default_headers={"X-Key": "k"})
    @depends_on(before="nobody")
    def handler(before, context, api):
        return {"before": before, "seen": api.get("/200").body, "id": str(context.step_uuid)}

    bench.handle(handler)
    claim = bench.claim()

    found = bench.report_of(claim)["result"]
    assert found["before"] is None
    assert found["seen"]["key"] == "k"
    assert found["id"] == str(claim.workflow_step_uuid)


def test_a_coroutine_gets_the_client_too(bench, url):
    @api_handler("ignored", url)
    async def handler(api):
        return api.get("/200").body

    bench.handle(handler)

    assert bench.report_of(bench.claim())["result"]["path"] == "/v1/200"


def test_called_directly_a_function_classifies_what_escapes(nobody):
    @api_handler("ignored", nobody)
    def handler(api):
        api.get("/")

    found = handler._handler_class().call(None)  # type: ignore[attr-defined]

    assert found.error_type == "connection_error"


def test_the_client_of_a_shared_instance_is_closed_after_each_dispatch(bench, service, url):
    clients = []

    def call(self, context):
        clients.append(self.client)
        self.get("/200")
        return self.api_success(self.get("/200"))

    shared = calling(url, call)()
    bench.handle(shared)

    for _ in range(2):
        assert bench.report_of(bench.claim())["success"] is True

    assert clients[0] is not clients[1]
    assert all(each.is_closed for each in clients)
    assert len(service.connections_seen) == 2  # one for each dispatch


def test_a_client_that_cannot_be_closed_does_not_change_the_result(bench, url):
    def close(self):
        raise OSError("no")

    bench.handle(calling(url, lambda self, context: self.success({"a": 1}), close=close))

    assert bench.report_of(bench.claim())["result"] == {"a": 1}
