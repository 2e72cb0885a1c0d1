"""Errors outside of any view: below /v1/ the body of all errors, elsewhere Django's own page."""

import json

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from orchestration.http.error_pages import server_error

pytestmark = pytest.mark.django_db


def test_a_host_that_is_not_served_is_told_in_json_below_v1(client: Client):
    answer = client.get("/v1/tasks", HTTP_HOST="evil.example")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "BAD_REQUEST")
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert "evil.example" not in error["message"]
    assert client.get("/admin/", HTTP_HOST="evil.example").status_code == 400


def test_an_address_that_no_route_leads_to(client: Client):
    below, elsewhere = client.get("/api-docs/nope"), client.get("/nope")

    assert (below.status_code, below.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (elsewhere.status_code, elsewhere.headers["Content-Type"]) == (
        404,
        "text/html; charset=utf-8",
    )


def test_a_failure_that_no_view_caught():
    def answer(path: str) -> HttpResponse:
        return server_error(RequestFactory().get(path))

    assert json.loads(answer("/v1/tasks").content)["error"]["code"] == "INTERNAL_ERROR"
    assert answer("/admin/").headers["Content-Type"].startswith("text/html")
