"""A database that is really gone: the API says so at once, tries one request, and recovers."""

import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from orchestration.runtime.breaker import WEB_DATABASE, State, breaker

pytestmark = pytest.mark.django_db(transaction=True)
RULE = {"breaker_web_database": "2,60,1,2"}


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.TASKER = RULE


def fail_twice(api) -> None:
    for _ in range(2):
        answer = api.get("/v1/tasks")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


def test_an_unreachable_database_opens_the_breaker_and_its_return_closes_it(
    api, door, web_pool, eventually
):
    with web_pool(port=door.port, min_size=0, max_size=2, timeout=0.3):
        assert api.get("/v1/tasks").status_code == 200
        door.shut()
        fail_twice(api)
        refused_before, began = door.refused, time.monotonic()

        answer = api.get("/v1/tasks")

        error = answer.json()["error"]
        assert time.monotonic() - began < 0.2, "it waited for the pool"
        assert door.refused == refused_before, "it tried"
        assert (answer.status_code, error["code"]) == (503, "CIRCUIT_BREAKER_OPEN")
        assert answer.headers["Retry-After"] == str(error["retry_after_seconds"]) == "1"
        assert error["request_id"] == answer.headers["X-Request-ID"]

        eventually(lambda: breaker(WEB_DATABASE).state is State.HALF_OPEN)
        assert api.get("/v1/tasks").json()["error"]["code"] == "SERVICE_UNAVAILABLE"  # the trial
        assert api.get("/v1/tasks").json()["error"]["code"] == "CIRCUIT_BREAKER_OPEN"

        door.open()
        eventually(lambda: api.get("/v1/tasks").status_code == 200, within=10)
        assert api.get("/v1/tasks").status_code == 200
        assert breaker(WEB_DATABASE).state is State.CLOSED


def test_creations_and_the_admin_are_refused_too_and_probes_still_try(
    api, client: Client, door, web_pool, template, monkeypatch, settings
):
    settings.TASKER = {"breaker_web_database": "2,60,20,2"}
    client.force_login(User.objects.create_superuser("ann"))
    with web_pool(port=door.port, min_size=0, max_size=2, timeout=0.3):
        assert client.get("/admin/").status_code == 200
        door.shut()
        fail_twice(api)

        created = api.post("/v1/tasks", {"name": template, "namespace": "test"})
        page = client.get("/admin/")
        docs = client.get("/api-docs/openapi.json")
        monkeypatch.setattr("orchestration.health.installed._current", None)
        refused_before = door.refused
        ready = client.get("/health/ready")

    assert created.json()["error"]["code"] == "CIRCUIT_BREAKER_OPEN"
    assert (page.status_code, page.headers["Retry-After"]) == (503, "20")
    assert b"circuit breaker" in page.content
    assert docs.status_code == 200
    assert ready.status_code == 503
    assert door.refused > refused_before
    assert ready.json()["checks"]["circuit_breaker"]["status"] == "unhealthy"
    assert ready.json()["info"]["circuit_breaker_state"]["web_database"] == "open"


def test_a_page_of_the_admin_without_a_database_is_503_and_counts(client: Client, door, web_pool):
    client.force_login(User.objects.create_superuser("ann"))
    with web_pool(port=door.port, min_size=0, max_size=2, timeout=0.3):
        assert client.get("/admin/orchestration/task/").status_code == 200
        door.shut()

        answers = [client.get("/admin/orchestration/task/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert b"cannot be reached" in answers[1].content
    assert b"circuit breaker" in answers[2].content


def test_no_free_connection_in_time_is_503_and_counts(api, web_pool):
    with web_pool(min_size=1, max_size=1, timeout=0.2):
        connection: Any = connections["default"]
        connection.ensure_connection()
        pool = connection.pool
        connection.close()
        held = pool.getconn()  # a request of another thread has it
        try:
            fail_twice(api)
            refused = api.get("/v1/tasks")
        finally:
            pool.putconn(held)

    assert api.get("/v1/tasks").json()["error"]["code"] == "CIRCUIT_BREAKER_OPEN"
    assert refused.json()["error"]["code"] == "CIRCUIT_BREAKER_OPEN"


def test_a_statement_over_its_time_limit_counts(api, template, settings):
    settings.TASKER = RULE | {"backpressure_enabled": False}
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;"
            "CREATE TRIGGER slow AFTER INSERT ON tasker_tasks EXECUTE FUNCTION slow();"
            "SET statement_timeout = 100"
        )
    try:
        answers = [api.post("/v1/tasks", {"name": template, "namespace": "test"}) for _ in range(3)]
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute("DROP FUNCTION slow() CASCADE; RESET statement_timeout")
        connections["default"].close()

    codes = [answer.json()["error"]["code"] for answer in answers]
    assert codes == ["TIMEOUT", "TIMEOUT", "CIRCUIT_BREAKER_OPEN"]


def test_mistakes_of_callers_never_open_it(api, template):
    wanted = {"name": template, "namespace": "test", "idempotency_key": "k"}
    api.post("/v1/tasks", wanted)

    for _ in range(5):
        assert api.post("/v1/tasks", wanted | {"priority": 1}).status_code == 409
        assert api.post("/v1/tasks", {"name": "nope"}).status_code == 404
        assert api.post("/v1/tasks", {"name": 5}).status_code == 400
        assert api.get("/v1/tasks/nope").status_code == 400

    assert breaker(WEB_DATABASE).failures == 0


def test_a_request_that_needs_no_database_says_nothing_about_it(api):
    guard = breaker(WEB_DATABASE)
    guard.record(is_failure=True)
    connections["default"].close()

    assert api.get("/v1/tasks/nope").status_code == 400

    assert guard.failures == 1
