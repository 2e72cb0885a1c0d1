"""Pages of other origins: who may call, and what their scripts may read."""

import pytest

from tests.credentials import key, with_key

pytestmark = pytest.mark.django_db
SHOP = "https://shop.example"
NAMED = pytest.mark.usefixtures("named")


@pytest.fixture
def named(settings):
    """Allow one origin by its name. A decorator would undo itself before `settings` does."""
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    settings.CORS_ALLOWED_ORIGIN_REGEXES = []
    settings.CORS_ALLOW_CREDENTIALS = True


def preflight(api, origin: str):
    return api.options(
        "/v1/tasks",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,idempotency-key,x-api-key",
        },
    )


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost:5173", True),
        ("http://127.0.0.1", True),
        ("https://[::1]:8443", True),
        ("https://localhost.evil.example", False),
        ("http://localhost:5173.evil.example", False),
        (SHOP, False),
        ("null", False),
    ],
)
def test_in_development_and_tests_any_port_of_this_machine_may_call(api, origin, is_allowed):
    answer = api.get("/v1/tasks", headers={"Origin": origin})

    assert answer.status_code == 200
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)
    assert "Access-Control-Allow-Credentials" not in answer.headers


@NAMED
def test_a_preflight_is_answered_before_anybody_is_asked_for_a_credential(api, settings):
    settings.TASKER = {"environment": "production"}

    answer = preflight(api, SHOP)

    headers = answer.headers
    assert answer.status_code == 200
    assert headers["Access-Control-Allow-Origin"] == SHOP
    assert headers["Access-Control-Max-Age"] == "86400"
    assert {"content-type", "idempotency-key", "x-api-key", "authorization"} <= set(
        headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert {"POST", "PATCH", "DELETE"} <= set(headers["Access-Control-Allow-Methods"].split(", "))


@NAMED
def test_a_script_may_read_the_headers_that_matter_of_errors_too(api, settings):
    settings.TASKER = {"environment": "production"}

    refused = api.get("/v1/tasks", headers={"Origin": SHOP})
    served = with_key(key(["*"])).get("/v1/tasks", headers={"Origin": SHOP})

    for answer, status in ((refused, 401), (served, 200)):
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) == {
            "X-Request-ID",
            "Retry-After",
            "Location",
            "Idempotent-Replayed",
            "X-Total-Count",
        }


@NAMED
def test_another_origin_gets_no_permission(api):
    assert "Access-Control-Allow-Origin" not in preflight(api, "https://evil.example").headers


def test_the_admin_and_the_probes_are_for_no_other_origin(client):
    for path in ("/admin/login/", "/health"):
        answer = client.get(path, headers={"Origin": "http://localhost:5173"})
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_options_that_is_no_preflight_is_405(api):
    answer = api.options("/v1/tasks", headers={"Origin": "http://localhost:5173"})

    assert answer.status_code == 405
