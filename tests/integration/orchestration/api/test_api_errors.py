"""Every documented error of creating and looking at tasks: status, code, and what it names."""

import json
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connections
from django.test import override_settings

from orchestration.errors import InvalidRequestError
from orchestration.http.errors import answer_of
from orchestration.lifecycle.task_request import TaskRequest
from orchestration.models import Task
from tests.factories.ticks import assert_invariants

pytestmark = pytest.mark.django_db


def nested(depth: int) -> str:
    return '{"name": "linear_2", "namespace": "test", "context": {"a": ' + (
        "[" * depth + "]" * depth + "}}"
    )


BAD_BODIES = {
    "empty": ("", "JSON_ERROR", "empty"),
    "not json": ("{", "JSON_ERROR", "not JSON"),
    "single quotes": ("{'name': 'a'}", "JSON_ERROR", "not JSON"),
    "an array": ("[]", "JSON_ERROR", "array"),
    "a string": ('"a"', "JSON_ERROR", "string"),
    "null": ("null", "JSON_ERROR", "null"),
    "a repeated key": ('{"name": "a", "name": "a"}', "JSON_ERROR", "'name'"),
    "a repeated key inside": ('{"name": "a", "context": {"k": 1, "k": 2}}', "JSON_ERROR", "'k'"),
    "NaN": ('{"name": "a", "context": {"k": NaN}}', "JSON_ERROR", "NaN"),
    "-Infinity": ('{"name": "a", "context": {"k": -Infinity}}', "JSON_ERROR", "Infinity"),
    "1e400": ('{"name": "a", "context": {"k": 1e400}}', "JSON_ERROR", "1e400"),
    "NUL": (r'{"name": "a", "context": {"k": ["x\u0000"]}}', "JSON_ERROR", "context.k[0]"),
    "NUL in a tag": (r'{"name": "a", "tags": ["\u0000"]}', "JSON_ERROR", "tags[0]"),
    "NUL in a key": (r'{"name": "a", "context": {"\u0000": 1}}', "JSON_ERROR", "context"),
    "a lone surrogate": (r'{"name": "a", "reason": "\ud800"}', "JSON_ERROR", "reason"),
    "too deep for the parser": (nested(200_000), "JSON_ERROR", "deeper"),
    "too deep to store": (nested(40), "BAD_REQUEST", "context"),
    "no name": ("{}", "BAD_REQUEST", "name"),
    "name of a wrong type": ('{"name": 5}', "BAD_REQUEST", "name"),
    "empty name": ('{"name": ""}', "BAD_REQUEST", "name"),
    "context is a list": ('{"name": "a", "context": []}', "BAD_REQUEST", "context"),
    "priority out of range": ('{"name": "a", "priority": 101}', "BAD_REQUEST", "priority"),
    "priority is a text": ('{"name": "a", "priority": "1"}', "BAD_REQUEST", "priority"),
    "tag too long": (json.dumps({"name": "a", "tags": ["x" * 129]}), "BAD_REQUEST", "tags[0]"),
    "both spellings": ('{"name": "a", "template_name": "b"}', "BAD_REQUEST", "template_name"),
    "bad uuid": ('{"name": "a", "correlation_id": "x"}', "BAD_REQUEST", "correlation_id"),
    "far future": (
        '{"name": "a", "requested_at": "2999-01-01T00:00:00Z"}',
        "BAD_REQUEST",
        "requested_at",
    ),
    "before the calendar": (
        '{"name": "a", "requested_at": "0001-01-01T00:00:00+23:59"}',
        "BAD_REQUEST",
        "requested_at",
    ),
    "unknown step bypassed": (
        '{"name": "linear_2", "namespace": "test", "bypass_steps": ["nope"]}',
        "BAD_REQUEST",
        "bypass_steps[0]",
    ),
}


@pytest.mark.parametrize(("body", "code", "named"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_is_refused_and_leaves_nothing(send, template, body, code, named):
    answer = send(body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert named in json.dumps(error, ensure_ascii=False)
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert not Task.objects.exists()
    assert_invariants()


@pytest.mark.parametrize(
    ("field", "value"), [("name", "a\0"), ("reason", "\0"), ("tags", ["ok", "\0"])]
)
def test_a_nul_character_is_refused_at_every_door(field, value):
    with pytest.raises(InvalidRequestError) as caught:
        TaskRequest.parse({"name": "a", field: value})

    assert caught.value.problems[0].path == field


def test_a_body_that_is_not_utf8_is_refused(send):
    answer = send(b'{"name": "\xff"}')

    assert answer.json()["error"]["code"] == "JSON_ERROR"
    assert "byte 10" in answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_another_content_type_is_415(send, kind):
    answer = send('{"name": "a"}', kind)

    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


def test_a_charset_in_the_content_type_is_fine(send, template):
    body = json.dumps({"name": template, "namespace": "test"})

    assert send(body, "application/json; charset=utf-8").status_code == 201


def test_a_body_over_the_limit_is_413(send):
    with override_settings(TASKER={"api_max_body_bytes": 65_536}):
        answer = send(json.dumps({"name": "a", "reason": "x" * 70_000}))

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


def test_a_context_over_the_limit_is_400(send, template):
    body = {"name": template, "namespace": "test", "context": {"a": "x" * 1_048_576}}

    answer = send(json.dumps(body))

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["path"] == "context"


def test_an_unknown_template_names_the_nearest(send, template):
    answer = send('{"name": "linear_3", "namespace": "test"}')

    assert answer.status_code == 404
    assert "linear_2" in answer.json()["error"]["message"]


def test_two_different_keys_are_refused(send):
    answer = send('{"name": "a", "idempotency_key": "k"}', **{"Idempotency-Key": "other"})

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["path"] == "idempotency_key"


NOTHING = f"/v1/tasks/{uuid4()}"
BAD_CALLS = {
    "malformed uuid": ("get", "/v1/tasks/nope", 400, "INVALID_UUID"),
    "uuid without hyphens": ("get", f"/v1/tasks/{uuid4().hex}", 400, "INVALID_UUID"),
    "NUL in the path": ("get", "/v1/tasks/%00", 400, "INVALID_UUID"),
    "surrogate in the path": ("get", "/v1/tasks/%ED%A0%80", 400, "INVALID_UUID"),
    "malformed step": ("get", f"{NOTHING}/workflow_steps/nope", 400, "INVALID_UUID"),
    "unknown task": ("get", NOTHING, 404, "NOT_FOUND"),
    "steps of an unknown task": ("get", f"{NOTHING}/workflow_steps", 404, "NOT_FOUND"),
    "unknown step": ("get", f"{NOTHING}/workflow_steps/{uuid4()}", 404, "NOT_FOUND"),
    "cancel an unknown task": ("delete", NOTHING, 404, "NOT_FOUND"),
    "parameter on a read": ("get", f"{NOTHING}?steps=1", 400, "BAD_REQUEST"),
    "unknown parameter on delete": ("delete", f"{NOTHING}?why=x", 400, "BAD_REQUEST"),
    "reason too long": ("delete", f"{NOTHING}?reason={'x' * 501}", 400, "BAD_REQUEST"),
    "NUL in the query": ("get", "/v1/tasks?name=%00", 400, "BAD_REQUEST"),
    "surrogate in the query": ("get", "/v1/tasks?name=%ED%A0%80", 400, "BAD_REQUEST"),
    "no such address": ("get", "/v1/nope", 404, "NOT_FOUND"),
    "no such address, posted to": ("post", "/v1/nope/", 404, "NOT_FOUND"),
    "the root": ("get", "/v1/", 404, "NOT_FOUND"),
    "method": ("put", NOTHING, 405, "METHOD_NOT_ALLOWED"),
    "OPTIONS": ("options", "/v1/tasks", 405, "METHOD_NOT_ALLOWED"),
}


@pytest.mark.parametrize(("method", "path", "status", "code"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_a_bad_call_is_refused(api, method, path, status, code):
    answer = getattr(api, method)(path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/json"


def test_json_is_the_only_answer(api):
    answer = api.get("/v1/tasks", headers={"Accept": "text/csv"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (406, "NOT_ACCEPTABLE")


def test_a_405_names_the_methods(api):
    assert "DELETE" in api.put(NOTHING).headers["Allow"]


def test_head_is_served_where_get_is(api, create):
    path = f"/v1/tasks/{create()['task_uuid']}"

    answer = api.head(path)

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("given", "kept"), [("ab-1._", True), ("x" * 128, True), ("x" * 129, False), ("a b", False)]
)
def test_a_sane_request_id_is_taken_over(api, given, kept):
    answer = api.get("/v1/tasks/nope", headers={"X-Request-ID": given})

    assert (answer.headers["X-Request-ID"] == given) is kept
    assert answer.json()["error"]["request_id"] == answer.headers["X-Request-ID"]


def test_a_statement_that_takes_too_long_is_408():
    with connections["default"].cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        cursor.execute("SET LOCAL statement_timeout = 1")
        with pytest.raises(OperationalError) as caught:
            cursor.execute("SELECT pg_sleep(1)")
        cursor.execute("ROLLBACK TO before")

    assert answer_of(caught.value) == ("TIMEOUT", 408)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_there_is_503_with_retry_after(api):
    connection = connections["default"]
    connection.close()
    lost = {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {}}
    kept = connection.settings_dict
    connection.settings_dict = lost
    try:
        answer = api.get(NOTHING)
    finally:
        connection.close()
        connection.settings_dict = kept

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == str(error["retry_after_seconds"]) == "5"
    assert "127.0.0.1" not in answer.content.decode()


def test_an_unforeseen_error_shows_no_traceback():
    assert answer_of(RuntimeError("secret")) == ("INTERNAL_ERROR", 500)
    assert answer_of(psycopg.OperationalError("secret")) == ("INTERNAL_ERROR", 500)
