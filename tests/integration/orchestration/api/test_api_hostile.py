"""Hostile texts and headers: kept and returned as data, never as a header, page or statement."""

import json
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from orchestration.access.permissions import Permission
from orchestration.models import DlqEntry, Task, TaskTransition
from tests.access_table import OTHER_NAMESPACE, TABLE, World, make_world, path_in
from tests.credentials import key, signed_in, with_key

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(document.cookie)</script>"
HOSTILE = {
    "script": SCRIPT,
    "sql": "'; DROP TABLE tasker_tasks; --",
    "format": "%s %(x)s {0.__class__}",
    "template": "{{ settings.SECRET_KEY }}{% debug %}",
    "header": "a\r\nSet-Cookie: admin=1\r\n\r\n<html>",
    "direction": "\u202egnp.exe",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_in_every_field_comes_back_as_it_went_in(api, template, text):
    fields: dict[str, Any] = {
        "context": {text: [text]},
        "options": {text: text},
        "initiator": text,
        "source_system": text,
        "reason": text,
        "tags": [text],
    }

    answer = api.post("/v1/tasks", {"name": template, "namespace": "test", **fields})

    assert answer.status_code == 201, answer.content
    assert {name: answer.json()[name] for name in fields} == fields
    assert answer.headers["Content-Type"] == "application/json"
    assert "Set-Cookie" not in answer.headers
    read = api.get(answer.headers["Location"])
    assert {name: read.json()[name] for name in fields} == fields
    found = api.get("/v1/tasks", {"tag": text, "initiator": text}).json()
    assert [each["task_uuid"] for each in found["tasks"]] == [read.json()["task_uuid"]]
    for part in ("summary", "graph", "graph?format=mermaid", "workflow_steps"):
        assert SCRIPT not in api.get(f"{answer.headers['Location']}/{part}").content.decode()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_reason_stands_in_the_history_as_it_was_given(api, text):
    world = make_world()
    act = {"action_type": "give_up", "reason": text, "acted_by": text}

    assert api.patch(f"/v1/tasks/{world.task_uuid}", act).status_code == 200
    note = {"resolution_notes": text, "metadata": {text: text}, "resolved_by": text}
    assert api.patch(f"/v1/dlq/entry/{world.entry_uuid}", note).status_code == 200

    reasons = [
        each["reason"] for each in api.get(f"/v1/tasks/{world.task_uuid}/transitions").json()
    ]
    assert f"{text} (acted_by: {text})" in reasons
    (entry,) = api.get("/v1/dlq").json()
    assert (entry["resolution_notes"], entry["metadata"][text]) == (text, text)
    assert Task.objects.exists()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_that_is_refused_is_quoted_as_data(api, text):
    for answer in (
        api.post("/v1/tasks", {"name": text, "namespace": "test"}),
        api.get("/v1/tasks", {text: text}),
        api.get("/v1/templates", {"namespace": text}),
        api.post("/v1/templates/validate", {"template": {"name": text, text: text}}),
        api.patch(f"/v1/tasks/{uuid4()}", {"action_type": text, "reason": text}),
    ):
        assert answer.status_code < 500
        assert answer.headers["Content-Type"] == "application/json"
        assert "Set-Cookie" not in answer.headers
        json.loads(answer.content)


@pytest.mark.parametrize(
    "header", ["X-Request-ID", "Idempotency-Key", "Accept", "Origin", "X-Forwarded-For"]
)
def test_a_line_break_in_a_header_reaches_no_header(api, template, header):
    value = "ok\r\nSet-Cookie: admin=1"

    answer = api.post("/v1/tasks", {"name": template, "namespace": "test"}, headers={header: value})

    assert answer.status_code in {201, 400, 406}
    told = "".join(f"{name}: {each}" for name, each in answer.headers.items())
    assert "admin=1" not in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "credential",
    [
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer tsk_\x00"},
        {"Authorization": "Bearer " + "x" * 100_000},
        {"Authorization": "Bearer tsk_äöü"},
        {"Authorization": "Basic YTpi"},
        {"X-API-Key": ""},
        {"X-API-Key": "' OR 1=1 --"},
        {"X-API-Key": "tsk_aaaaaaaa_" + "é" * 43},
        {"Cookie": "sessionid=" + "x" * 5000},
        {"Cookie": "sessionid=\x00; sessionid=y"},
    ],
    ids=str,
)
def test_a_strange_credential_is_401_and_is_not_repeated(settings, caplog, credential):
    settings.TASKER = {"environment": "production"}

    answer = APIClient().get("/v1/tasks", headers=credential)

    (value,) = credential.values()
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tasker"'
    secret = value.removeprefix("Bearer ")
    assert not secret or secret not in answer.content.decode()
    assert not secret or secret not in caplog.text


WRITES = [pytest.param(call, id=" ".join(call)) for call in TABLE if call[0] != "get"]


@pytest.mark.parametrize("call", WRITES)
def test_a_session_without_its_csrf_token_changes_nothing(settings, call):
    settings.TASKER = {"environment": "production"}
    method, route = call
    world = make_world()
    client = signed_in(is_superuser=True)
    client.handler.enforce_csrf_checks = True
    before = (
        TaskTransition.objects.count(),
        DlqEntry.objects.values_list("metadata", flat=True)[0],
    )

    answer = getattr(client, method)(path_in(route, world), data=dict(TABLE[call].body))

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert "CSRF" in answer.json()["error"]["message"]
    after = (TaskTransition.objects.count(), DlqEntry.objects.values_list("metadata", flat=True)[0])
    assert after == before


MALFORMED = [
    "x",
    "0",
    "%00",
    "a" * 300,
    "..%2f",
    "0" * 36,
    "{}",
    "01890000-0000-7000-8000-00000000000g",
]


@pytest.mark.parametrize(
    "call", [pytest.param(call, id=" ".join(call)) for call in TABLE if "uuid>" in call[1]]
)
def test_a_malformed_uuid_is_named_before_the_body_is_read(api, call):
    method, route = call
    world = make_world()

    for given in MALFORMED:
        for name in ("task_uuid", "step_uuid", "entry_uuid"):
            if f"<str:{name}>" not in route:
                continue
            path = path_in(route, World(**{**world._asdict(), name: given}))
            answer = getattr(api, method)(path)
            assert answer.status_code in {400, 404}, (path, answer.content)
            if "%2f" not in given:
                assert answer.json()["error"]["code"] == "INVALID_UUID", path


def test_what_another_tenant_has_is_in_no_error(settings):
    settings.TASKER = {"environment": "production"}
    foreign = make_world(OTHER_NAMESPACE)
    make_world()
    client = with_key(key(Permission, ["test"]))
    conflict = {"name": "linear_1", "namespace": "test", "idempotency_key": "k"}
    assert client.post("/v1/tasks", conflict).status_code == 201

    for answer in (
        client.post("/v1/tasks", {**conflict, "priority": 5}),
        client.post("/v1/tasks", {"name": "linear_1", "namespace": OTHER_NAMESPACE}),
        client.get(f"/v1/dlq?namespace={OTHER_NAMESPACE}"),
        client.get(f"/v1/tasks?namespace={OTHER_NAMESPACE}"),
        client.get(f"/v1/templates/{OTHER_NAMESPACE}/linear_1"),
        client.get(f"/v1/analytics/bottlenecks?namespace={OTHER_NAMESPACE}"),
    ):
        text = answer.content.decode()
        assert not [each for each in foreign.uuids if each in text]
        assert "context of foreign" not in text
