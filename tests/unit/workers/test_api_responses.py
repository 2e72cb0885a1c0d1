"""What an answer of a service means: the table of statuses, Retry-After, bodies."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from workers import ApiHandler, ApiResponse, StepHandler


def response(status=200, **given):
    return ApiResponse(httpx.Response(status, **given))


@pytest.mark.parametrize(
    ("status", "error_type", "retryable"),
    [
        (400, "bad_request", False),
        (401, "unauthorized", False),
        (402, "client_error", False),
        (403, "forbidden", False),
        (404, "not_found", False),
        (405, "method_not_allowed", False),
        (408, "request_timeout", True),
        (409, "conflict", False),
        (410, "gone", False),
        (418, "client_error", False),
        (422, "unprocessable_entity", False),
        (429, "rate_limited", True),
        (500, "internal_server_error", True),
        (501, "server_error", False),
        (502, "bad_gateway", True),
        (503, "service_unavailable", True),
        (504, "gateway_timeout", True),
        (505, "server_error", False),
        (302, "http_error", False),
    ],
)
def test_the_status_decides_type_and_flag(status, error_type, retryable):
    failure = Calling().api_failure(response(status))

    assert failure.is_success is False
    assert failure.error_type == error_type
    assert failure.retryable is retryable
    assert failure.metadata["status_code"] == status


@pytest.mark.parametrize(
    ("status", "ok", "client", "server"),
    [(204, 1, 0, 0), (302, 0, 0, 0), (404, 0, 1, 0), (503, 0, 0, 1)],
)
def test_a_response_knows_its_family(status, ok, client, server):
    found = response(status)

    assert (found.ok, found.is_client_error, found.is_server_error) == (ok, client, server)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("17", 17),
        (" 5 ", 5),
        ("1.5", 60),
        ("-3", 60),
        ("soon", 60),
        ("", 60),
        ("9" * 5000, 60),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", 60),
    ],
)
def test_retry_after_is_read_leniently(text, seconds):
    headers = {} if text is None else {"Retry-After": text}

    assert response(503, headers=headers).retry_after == seconds


def test_a_date_to_come_is_so_many_seconds_away():
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)  # noqa: TID251

    assert 90 <= response(503, headers={"Retry-After": moment}).retry_after <= 100


@pytest.mark.parametrize(
    ("kind", "content", "body"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("application/problem+json; charset=utf-8", b"[1]", [1]),
        ("application/json", b"{broken", "{broken"),
        ("application/json", b"", ""),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
    ],
)
def test_a_body_is_json_when_it_says_so_and_is(kind, content, body):
    assert response(content=content, headers={"Content-Type": kind}).body == body


def test_a_response_as_json_values():
    found = response(201, json={"a": 1}).to_dict()

    assert found["status_code"] == 201
    assert found["body"] == {"a": 1}
    assert found["headers"]["content-type"] == "application/json"
    assert ApiResponse(httpx.Response(200), {"given": 1}).body == {"given": 1}


class Calling(ApiHandler):
    def call(self, context):
        """Is not called here."""


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": "no money"}, "no money"),
        ({"error": {"message": "deep"}}, "deep"),
        ({"error": 5, "detail": "next"}, "next"),
        ({"message": "m", "msg": "later"}, "m"),
        ({"error_message": "e"}, "e"),
        ({"msg": "short"}, "short"),
        ({"other": "x"}, "Conflict"),
        (["x"], "Conflict"),
    ],
)
def test_the_message_is_what_the_service_says(body, text):
    failure = Calling().api_failure(response(409, json=body))

    assert failure.error_message == f"HTTP 409: {text}"
    assert failure.metadata["response_body"] == body


def test_a_failure_carries_the_wish_for_a_delay_and_no_empty_body():
    failure = Calling().api_failure(response(429, headers={"Retry-After": "9"}), "Too fast")

    assert failure.error_message == "Too fast"
    assert failure.metadata["retry_after_seconds"] == 9
    assert "response_body" not in failure.metadata
    assert "retry_after_seconds" not in Calling().api_failure(response(429)).metadata


def test_a_success_is_what_is_given_or_the_body():
    handler = Calling()

    assert handler.api_success(response(json={"a": 1})).result == {"a": 1}
    assert handler.api_success(response(json=[1])).result == {"data": [1]}
    assert handler.api_success(response(json=[1]), {"b": 2}).result == {"b": 2}
    assert handler.api_success(result={"b": 2}).result == {"b": 2}
    assert handler.api_success(response(201)).metadata["status_code"] == 201
    assert handler.api_success(response(201), include_response=False).metadata == {}


def test_errors_without_an_answer_are_retryable():
    handler = Calling()

    refused = handler.connection_error(httpx.ConnectError("refused"), "charging")
    late = handler.timeout_error(httpx.ReadTimeout("late"))

    assert (refused.error_type, refused.retryable) == ("connection_error", True)
    assert refused.error_message == "Connection failed (charging): refused"
    assert refused.metadata == {"exception_type": "ConnectError"}
    assert (late.error_type, late.retryable) == ("timeout", True)
    assert handler.explain_exception(ValueError()) is None


def test_capabilities():
    assert Calling().capabilities == ["process", "http", "api"]
    assert Calling().api_capabilities == ["http", "api"]
    assert issubclass(ApiHandler, StepHandler)
