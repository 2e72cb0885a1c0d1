"""Who may, beside the table of all calls: what the answers tell, which credential decides."""

import logging

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from rest_framework.test import APIClient

from orchestration import metrics
from orchestration.access.key_text import new_key_text
from orchestration.access.permissions import Permission
from orchestration.models import ApiKey, DlqEntry, Task
from orchestration.runtime.breaker import WEB_DATABASE, breaker
from tests.credentials import every_kind, key, signed_in, with_key

pytestmark = pytest.mark.django_db
P = Permission
WANTED = {"name": "linear_2", "namespace": "test"}


@pytest.fixture(autouse=True)
def _production(settings):
    """Let the API believe that this is production."""
    settings.TASKER = {"environment": "production"}


# ------------------------------------------------------------ what a failure tells

FAILURES = {
    "nothing": (401, "UNAUTHORIZED", "missing", "low", None),
    "no key at all": (401, "AUTHENTICATION_FAILED", "malformed", "medium", "5"),
    "a token": (401, "AUTHENTICATION_FAILED", "malformed", "medium", "5"),
    "unknown key": (401, "AUTHENTICATION_FAILED", "invalid", "high", "60"),
    "revoked key": (401, "AUTHENTICATION_FAILED", "invalid", "high", "60"),
    "expired key": (401, "AUTHENTICATION_FAILED", "expired", "low", None),
    "plain user": (401, "AUTHENTICATION_FAILED", "invalid", "high", "60"),
    "inactive user": (401, "AUTHENTICATION_FAILED", "expired", "low", None),
    "key without permission": (403, "FORBIDDEN", "forbidden", "medium", None),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_says_its_kind_and_when_to_try_again(kind):
    client = every_kind([P.TASKS_LIST], "test")[kind]()

    answer = client.get("/v1/tasks")

    error = answer.json()["error"]
    headers = answer.headers
    assert (
        answer.status_code,
        error["code"],
        headers["x-auth-failure-reason"],
        headers["x-auth-failure-severity"],
        headers.get("Retry-After"),
    ) == FAILURES[kind]
    assert str(error.get("retry_after_seconds")) == str(headers.get("Retry-After"))
    challenge = 'Bearer realm="tasker"' if answer.status_code == 401 else None
    assert headers.get("WWW-Authenticate") == challenge
    assert error["request_id"] == headers["X-Request-ID"]


def test_all_credentials_that_are_not_accepted_read_the_same():
    kinds = every_kind([P.TASKS_LIST], "test")
    refused = [kind for kind, told in FAILURES.items() if told[1] == "AUTHENTICATION_FAILED"]

    texts = {kinds[kind]().get("/v1/tasks").json()["error"]["message"] for kind in refused}

    assert len(texts) == 1


def test_a_failure_is_counted_and_logged_without_the_credential(caplog):
    text = new_key_text().text
    before = metrics.AUTH_FAILURES.value

    with_key(text).get("/v1/tasks")

    (record,) = [each for each in caplog.records if each.message == "auth.failed"]
    assert record.levelno == logging.WARNING
    assert vars(record)["subject"] == f"api_key:{text[4:12]}"
    assert not any(text[13:] in str(vars(each)) for each in caplog.records)
    assert metrics.AUTH_FAILURES.value == before + 1


def test_a_missing_permission_is_named_counted_and_logged(caplog):
    text = key([P.TASKS_READ])
    before = metrics.PERMISSION_DENIALS.value

    answer = with_key(text).get("/v1/tasks")

    assert answer.json()["error"]["details"] == {"required_permission": "tasks:list"}
    (record,) = [each for each in caplog.records if each.message == "permission.denied"]
    assert vars(record)["principal"] == f"api_key:{text[4:12]}"
    assert metrics.PERMISSION_DENIALS.value == before + 1


# ------------------------------------------------------------ which credential decides


def test_a_key_may_come_in_a_header_of_its_own(settings):
    client = APIClient()
    text = key([P.TASKS_LIST])

    assert client.get("/v1/tasks", headers={"X-API-Key": text}).status_code == 200
    settings.TASKER = {"environment": "production", "api_key_header": "X-Shop-Key"}
    assert client.get("/v1/tasks", headers={"X-API-Key": text}).status_code == 401
    assert client.get("/v1/tasks", headers={"X-Shop-Key": text}).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_a_bearer_is_not_case_sensitive(scheme):
    headers = {"Authorization": f"{scheme} {key([P.TASKS_LIST])}"}

    assert APIClient().get("/v1/tasks", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "bad", [{"X-API-Key": "nonsense"}, {"X-API-Key": ""}, {"Authorization": "Bearer"}]
)
def test_a_bad_credential_is_not_passed_over_for_a_good_one(bad):
    client = signed_in(is_superuser=True)

    answer = client.get("/v1/tasks", headers=bad)

    assert answer.headers["x-auth-failure-reason"] == "malformed"


def test_the_header_of_keys_decides_before_the_bearer():
    headers = {"X-API-Key": key([P.TASKS_LIST]), "Authorization": "Bearer nonsense"}

    assert APIClient().get("/v1/tasks", headers=headers).status_code == 200


def test_another_scheme_of_a_proxy_is_nobodys_credential():
    client = signed_in(is_superuser=True)

    assert client.get("/v1/tasks", headers={"Authorization": "Basic eDp5"}).status_code == 200


def test_a_session_that_ended_counts_as_expired():
    client = signed_in(is_superuser=True)
    Session.objects.all().delete()

    assert client.get("/v1/tasks").headers["x-auth-failure-reason"] == "expired"


def test_a_session_needs_the_csrf_token_for_what_changes_something_and_a_key_does_not(template):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("eve"))

    refused = client.post("/v1/tasks", WANTED)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key(['*'])}")
    served = client.post("/v1/tasks", WANTED)

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert served.status_code == 201


# ------------------------------------------------------------ what a principal is good for


def test_the_principal_stands_in_the_history_and_is_the_initiator(template):
    text = key([P.TASKS_CREATE])

    by_key = with_key(text).post("/v1/tasks", WANTED).json()
    by_person = signed_in(is_superuser=True).post("/v1/tasks", WANTED).json()

    for task, name in ((by_key, f"api_key:{text[4:12]}"), (by_person, "user:ann")):
        assert task["initiator"] == name
        moves = Task.objects.get(pk=task["task_uuid"]).transitions.all()
        assert set(moves.values_list("actor", flat=True)) == {name}


def test_the_use_of_a_key_is_noted():
    with_key(key([P.TASKS_LIST])).get("/v1/tasks")

    assert ApiKey.objects.get().last_used_at is not None


def test_context_is_hidden_from_who_may_not_read_it(template):
    client = with_key(key([P.TASKS_CREATE, P.TASKS_READ, P.TASKS_LIST]))

    created = client.post("/v1/tasks", {**WANTED, "context": {"a": 1}})
    read = client.get(created.headers["Location"])
    listed = client.get("/v1/tasks?include=context")

    assert (created.json()["context"], read.json()["context"]) == ({"a": 1}, None)
    assert listed.json()["error"]["details"] == {"required_permission": "tasks:context_read"}


def test_bypassing_steps_needs_a_permission_of_its_own(template):
    wanted = {**WANTED, "bypass_steps": ["step_1"]}

    refused = with_key(key([P.TASKS_CREATE])).post("/v1/tasks", wanted)
    assert refused.json()["error"]["details"] == {"required_permission": "steps:resolve"}
    assert not Task.objects.exists()

    served = with_key(key([P.TASKS_CREATE, P.STEPS_RESOLVE])).post("/v1/tasks", wanted)
    assert served.status_code == 201


def test_an_action_on_a_task_asks_for_its_own_permission(template):
    client = with_key(key([P.TASKS_CREATE, P.STEPS_RESOLVE]))
    path = client.post("/v1/tasks", WANTED).headers["Location"]

    retried = client.patch(path, {"action_type": "retry_failed_steps", "reason": "r"})
    closed = client.patch(path, {"action_type": "resolve_manually", "reason": "r"})

    assert (retried.status_code, closed.status_code) == (400, 403)
    assert closed.json()["error"]["details"] == {"required_permission": "tasks:cancel"}


def test_the_context_in_a_request_that_was_buried_is_hidden():
    DlqEntry.objects.create(
        dlq_reason="poison_message",
        queue_name="orchestration_task_requests",
        message={"task_request": {"context": {"card": "secret"}}},
    )
    DlqEntry.objects.create(
        dlq_reason="poison_message", queue_name="worker_test_queue", message={"task_uuid": "x"}
    )
    client = with_key(key([P.DLQ_READ]))

    for path in ("/v1/dlq", "/v1/dlq/investigation-queue"):
        shown = {row["queue_name"]: row["message"] for row in client.get(path).json()}
        assert shown == {
            "orchestration_task_requests": None,
            "worker_test_queue": {"task_uuid": "x"},
        }
    seeing = with_key(key([P.DLQ_READ, P.TASKS_CONTEXT_READ]))
    assert "secret" in seeing.get("/v1/dlq").content.decode()


# ------------------------------------------------------------ order, documents, unknown addresses


def test_size_comes_before_credential_and_credential_before_the_body(settings):
    settings.TASKER = {"environment": "production", "api_max_body_bytes": 65_536}

    def post(client: APIClient, body: str) -> str:
        answer = client.post("/v1/tasks", body, content_type="application/json")
        return str(answer.json()["error"]["code"])

    assert post(APIClient(), "x" * 70_000) == "PAYLOAD_TOO_LARGE"
    assert post(APIClient(), "{") == "UNAUTHORIZED"
    assert post(with_key(key([P.TASKS_READ])), "{") == "FORBIDDEN"
    assert post(with_key(key([P.TASKS_CREATE])), "{") == "JSON_ERROR"
    assert post(with_key(key([P.TASKS_CREATE], [])), '{"name": 5}') == "BAD_REQUEST"
    assert post(with_key(key([P.TASKS_CREATE], [])), '{"name": "a"}') == "AUTHORIZATION_FAILED"


def test_while_the_breaker_is_open_what_needs_no_database_still_comes_first():
    known, fresh = key([P.TASKS_READ, P.DLQ_READ]), key(["*"])
    with_key(known).get("/v1/dlq")
    person = signed_in(is_superuser=True)
    for _ in range(breaker(WEB_DATABASE).rule.failures):
        breaker(WEB_DATABASE).record(is_failure=True)

    def code(client: APIClient, path: str = "/v1/tasks") -> str:
        return str(client.get(path).json()["error"]["code"])

    assert code(APIClient()) == "UNAUTHORIZED"
    assert code(with_key("nonsense")) == "AUTHENTICATION_FAILED"
    assert code(with_key(known)) == "FORBIDDEN"
    assert code(with_key(known), "/v1/dlq") == "CIRCUIT_BREAKER_OPEN"
    assert code(with_key(fresh)) == "CIRCUIT_BREAKER_OPEN"
    assert code(person) == "CIRCUIT_BREAKER_OPEN"
    assert code(APIClient(), "/v1/nope") == "UNAUTHORIZED"


@pytest.mark.parametrize(
    ("readers", "nobody", "bad", "known"),
    [("public", 200, 200, 200), ("authenticated", 401, 401, 200), ("off", 404, 404, 404)],
)
@pytest.mark.parametrize("path", ["/api-docs/openapi.json", "/v1/schema", "/api-docs/ui"])
def test_who_reads_the_documents_is_a_setting(settings, path, readers, nobody, bad, known):
    settings.TASKER = {"environment": "production", "api_docs": readers}

    found = [
        client.get(path).status_code
        for client in (APIClient(), with_key("nonsense"), with_key(key([P.TASKS_READ])))
    ]

    assert found == [nobody, bad, known]


def test_an_unknown_address_is_told_to_nobody_but_who_is_known():
    assert APIClient().get("/v1/nope").status_code == 401
    assert with_key(key([P.TASKS_READ], [])).get("/v1/nope").status_code == 404


def test_authentication_can_be_switched_on_in_tests_and_not_off_in_production(settings):
    settings.TASKER = {"environment": "test", "auth_enabled": True}
    assert APIClient().get("/v1/tasks").status_code == 401
    settings.TASKER = {"environment": "production", "auth_enabled": False}
    assert APIClient().get("/v1/tasks").status_code == 401
