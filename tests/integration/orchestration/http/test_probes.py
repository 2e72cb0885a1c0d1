"""The probes of the web process and of the status server."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client

from orchestration import health
from orchestration.http.status_server import StatusServer

pytestmark = pytest.mark.django_db(transaction=True)
PATHS = ["/health", "/health/live", "/health/ready", "/health/detailed", "/live", "/ready"]


@pytest.fixture(autouse=True)
def _fresh_health(monkeypatch):
    monkeypatch.setattr("orchestration.health.installed._current", None)


def install(checks: dict[str, health.Check], *, required: Iterable[str] = (), **rest: Any) -> None:
    health.install(
        health.Health(kind="worker", checks=checks, required=frozenset(required), **rest)
    )


def good() -> health.Verdict:
    return health.Verdict(health.HEALTHY, "fine")


def bad() -> health.Verdict:
    return health.Verdict(health.UNHEALTHY, "not fine")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_web_process_answers_every_probe_for_any_host(client: Client, path, slash):
    answer = client.get(path + slash, HTTP_HOST="10.0.0.1:8080")

    assert answer.status_code == 200, answer.content
    assert answer.json()["timestamp"].endswith("Z")


def test_a_probe_is_not_redirected_to_https(client: Client, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/health/ready").status_code == 200


def test_a_probe_may_only_be_read(client: Client):
    assert client.post("/health").status_code == 405


def test_the_detailed_answer_names_each_check_and_knows_the_process(client: Client):
    body = client.get("/health/detailed").json()

    assert body["status"] == "unhealthy"  # there is no orchestrator
    assert body["checks"]["web_database"]["message"] == "the database answers"
    assert body["info"]["kind"] == "web"
    assert body["info"]["environment"] == "test"
    assert "tasker.steps.claimed.total" in body["info"]["counters"]


def test_only_required_checks_decide_about_readiness(client: Client):
    install({"needed": good, "other": bad}, required={"needed"})

    assert client.get("/health/ready").status_code == 200
    assert client.get("/health/detailed").json()["status"] == "unhealthy"


def test_a_failed_requirement_is_503_but_live_stays_200(client: Client):
    install({"needed": bad}, required={"needed"})

    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/ready").json()["status"] == "not_ready"
    assert client.get("/health/live").status_code == 200


def test_a_stalled_process_is_not_alive(client: Client):
    install({}, is_stalled=lambda: True)

    answer = client.get("/health/live")

    assert (answer.status_code, answer.json()["status"]) == (503, "stalled")


def test_a_process_that_stops_is_not_ready(client: Client):
    install({}, operational_state=lambda: "graceful_shutdown")

    assert client.get("/health/ready").status_code == 503


def test_the_error_of_a_check_shows_its_kind_only(client: Client):
    def check() -> health.Verdict:
        raise ConnectionError("host db.internal, user secret_user")

    install({"database": check}, required={"database"})

    answer = client.get("/health/detailed")

    assert answer.json()["checks"]["database"]["message"] == "ConnectionError"
    assert b"secret_user" not in answer.content


def test_a_check_that_hangs_is_unhealthy_within_the_limit(client: Client, settings):
    settings.TASKER = {"health_timeout_ms": 100}
    release = threading.Event()

    def check() -> health.Verdict:
        release.wait(10)
        return good()

    install({"slow": check, "quick": good}, required={"slow"})
    began = time.monotonic()

    body = client.get("/health/detailed").json()

    release.set()
    assert time.monotonic() - began < 1
    assert body["checks"]["slow"]["message"] == "no answer within 0.1 s"


def test_probes_share_one_look_for_a_second(client: Client):
    looks: list[int] = []

    def check() -> health.Verdict:
        looks.append(1)
        return good()

    install({"counted": check})

    for path in PATHS:
        client.get(path)

    assert len(looks) == 1


# ---------------------------------------------------------------- the status server


@pytest.fixture
def server():
    ended = threading.Event()
    instance = StatusServer(host="127.0.0.1", port=0)
    instance.start(ended.set)
    yield instance
    instance.stop()
    assert ended.wait(5)
    assert not instance.is_running
    assert instance.failure is None


def get(server: StatusServer, path: str, *, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request(method, path, headers={"Host": "anything.example"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", PATHS)
def test_the_status_server_answers_probes(server, path):
    install({"needed": good}, required={"needed"}, worker_id="w-1")

    status, body = get(server, path)

    assert status == 200
    assert json.loads(body)["status"] in ("healthy", "alive", "ready")


def test_the_status_server_serves_nothing_else(server):
    assert get(server, "/admin/")[0] == 404
    assert get(server, "/v1/tasks")[0] == 404
    assert get(server, "/health", method="POST")[0] == 405


def test_a_silent_client_does_not_hold_up_others(server):
    with socket.create_connection(("127.0.0.1", server.port)):
        assert get(server, "/health")[0] == 200


def test_a_taken_port_is_refused_at_once(server):
    with pytest.raises(OSError, match="in use"):
        StatusServer(host="127.0.0.1", port=server.port)


# ---------------------------------------------------------------- the token of metrics


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (None, 401, "missing"),
        ("Basic s3cret", 401, "missing"),
        ("Bearer wrong", 401, "invalid"),
        ("bearer s3cret", 200, None),
    ],
)
def test_only_the_details_ask_for_the_token_of_metrics(client, settings, sent, status, reason):
    settings.TASKER = {"metrics_token": "s3cret"}
    install({"needed": good}, required={"needed"})
    headers = {} if sent is None else {"Authorization": sent}

    answer = client.get("/health/detailed", headers=headers)

    assert (answer.status_code, answer.headers.get("x-auth-failure-reason")) == (status, reason)
    assert {client.get(path).status_code for path in PATHS if "detailed" not in path} == {200}


def test_the_status_server_asks_for_the_token_of_metrics_too(server, settings):
    settings.TASKER = {"metrics_token": "s3cret"}

    status, body = get(server, "/health/detailed")

    assert (status, json.loads(body)["error"]["code"]) == (401, "UNAUTHORIZED")
