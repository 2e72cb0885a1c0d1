"""Who may: everybody in tests; in production nobody but staff users with the permission."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.auth.models import Permission as DjangoPermission
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient
from rest_framework.views import APIView

from orchestration.models import DlqEntry, Task

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def production() -> Iterator[None]:
    """Let the API believe that this is production."""
    with override_settings(TASKER={"environment": "production"}):
        yield


def signed_in(**attributes) -> APIClient:
    user = User.objects.create_user("ann", **attributes)
    user.groups.add(Group.objects.get_or_create(name="ns:*")[0])
    client = APIClient()
    client.force_login(user)
    return client


def grant(codename: str) -> None:
    permission = DjangoPermission.objects.get(
        codename=codename, content_type__app_label="orchestration"
    )
    User.objects.get(username="ann").user_permissions.add(permission)


CALLS = [
    ("get", "/v1/tasks"),
    ("post", "/v1/tasks"),
    ("get", "/v1/tasks/x"),
    ("patch", "/v1/tasks/x"),
    ("delete", "/v1/tasks/x"),
    ("get", "/v1/tasks/x/workflow_steps"),
    ("get", "/v1/tasks/x/workflow_steps/y"),
    ("patch", "/v1/tasks/x/workflow_steps/y"),
    ("get", "/v1/dlq"),
    ("get", "/v1/dlq/task/x"),
    ("post", "/v1/dlq/task/x"),
    ("patch", "/v1/dlq/entry/x"),
    ("get", "/v1/dlq/stats"),
    ("get", "/v1/dlq/investigation-queue"),
    ("get", "/v1/dlq/staleness"),
    ("get", "/v1/schema"),
    ("get", "/api-docs/openapi.json"),
    ("get", "/api-docs/ui"),
    ("get", "/v1/nope"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_production_knows_nobody_without_a_credential(api, production, method, path):
    answer = getattr(api, method)(path)

    assert answer.status_code in ({401, 404} if path == "/v1/nope" else {401})
    if answer.status_code == 401 and not path.startswith("/api-docs/ui"):
        assert answer.json()["error"]["code"] == "UNAUTHORIZED"
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tasker"'


@pytest.mark.parametrize("debug", [True, False])
def test_development_is_open_only_with_debug(api, debug):
    with override_settings(TASKER={"environment": "development"}, DEBUG=debug):
        assert api.get("/v1/tasks").status_code == (200 if debug else 401)


def test_a_session_of_no_staff_user_is_not_accepted(production):
    answer = signed_in().get("/v1/tasks")

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AUTHENTICATION_FAILED")


def test_a_staff_user_without_the_permission_is_told_which(production):
    answer = signed_in(is_staff=True).get("/v1/tasks")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "FORBIDDEN")
    assert error["details"] == {"required_permission": "tasks:list"}


def test_a_staff_user_with_the_permission_is_served(production):
    client = signed_in(is_staff=True)
    grant("tasks_list")

    assert client.get("/v1/tasks").status_code == 200
    assert client.get("/v1/tasks?include=context").status_code == 403


def test_a_superuser_may_everything_and_stands_in_the_history(production, template):
    client = signed_in(is_staff=True, is_superuser=True)

    answer = client.post("/v1/tasks", {"name": template, "namespace": "test"})

    assert (answer.status_code, answer.json()["initiator"]) == (201, "user:ann")
    task = Task.objects.get(pk=answer.json()["task_uuid"])
    assert set(task.transitions.values_list("actor", flat=True)) == {"user:ann"}


def test_context_is_hidden_from_who_may_not_read_it(production, template):
    client = signed_in(is_staff=True)
    grant("tasks_create")
    grant("tasks_read")

    created = client.post("/v1/tasks", {"name": template, "namespace": "test", "context": {"a": 1}})
    read = client.get(created.headers["Location"])

    assert (created.json()["context"], read.json()["context"]) == ({"a": 1}, None)


def test_bypassing_steps_needs_a_permission_of_its_own(production, template):
    client = signed_in(is_staff=True)
    grant("tasks_create")

    answer = client.post(
        "/v1/tasks", {"name": template, "namespace": "test", "bypass_steps": ["step_1"]}
    )

    assert answer.json()["error"]["details"] == {"required_permission": "steps:resolve"}
    assert not Task.objects.exists()


def test_an_action_on_a_task_asks_for_its_own_permission(production, template):
    client = signed_in(is_staff=True)
    for codename in ("tasks_create", "tasks_read", "steps_resolve"):
        grant(codename)
    path = client.post("/v1/tasks", {"name": template, "namespace": "test"}).headers["Location"]

    retried = client.patch(path, {"action_type": "retry_failed_steps", "reason": "r"})
    closed = client.patch(path, {"action_type": "resolve_manually", "reason": "r"})

    assert (retried.status_code, closed.status_code) == (400, 403)


def test_a_session_needs_a_csrf_token_to_change_anything(production):
    user = User.objects.create_superuser("ann")
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)

    answer = client.post("/v1/tasks", {"name": "a"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("get", "/v1/dlq", "dlq:read"),
        ("get", "/v1/dlq/task/x", "dlq:read"),
        ("get", "/v1/dlq/investigation-queue", "dlq:read"),
        ("get", "/v1/dlq/staleness", "dlq:read"),
        ("get", "/v1/dlq/stats", "dlq:stats"),
        ("post", "/v1/dlq/task/x", "dlq:update"),
        ("patch", "/v1/dlq/entry/x", "dlq:update"),
    ],
)
def test_every_call_of_the_dlq_asks_for_its_permission(production, method, path, permission):
    client = signed_in(is_staff=True)
    for other in {"dlq:read", "dlq:stats", "dlq:update"} - {permission}:
        grant(other.replace(":", "_"))

    refused = getattr(client, method)(path, **({} if method == "get" else {"data": {}}))
    grant(permission.replace(":", "_"))
    client.force_login(User.objects.get(username="ann"))
    served = getattr(client, method)(path, **({} if method == "get" else {"data": {}}))

    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"required_permission": permission}
    assert served.status_code == (400 if path.endswith("/x") else 200)


def test_the_context_in_a_request_that_was_buried_is_hidden(production):
    DlqEntry.objects.create(
        dlq_reason="poison_message",
        queue_name="orchestration_task_requests",
        message={"task_request": {"context": {"card": "secret"}}},
    )
    DlqEntry.objects.create(
        dlq_reason="poison_message", queue_name="worker_test_queue", message={"task_uuid": "x"}
    )
    client = signed_in(is_staff=True)
    grant("dlq_read")

    for path in ("/v1/dlq", "/v1/dlq/investigation-queue"):
        shown = {row["queue_name"]: row["message"] for row in client.get(path).json()}
        assert shown == {
            "orchestration_task_requests": None,
            "worker_test_queue": {"task_uuid": "x"},
        }
    grant("tasks_context_read")
    client.force_login(User.objects.get(username="ann"))
    assert "secret" in client.get("/v1/dlq").content.decode()


def all_views(resolver: URLResolver) -> Iterator[type[APIView]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from all_views(pattern)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "cls", None)
            if view is not None:
                yield view


def test_every_method_of_every_view_declares_its_permission():
    views = set(all_views(get_resolver())) - {_nothing_here()}

    handled = {view: {m.upper() for m in METHODS if hasattr(view, m)} for view in views}

    assert len(views) >= 7
    assert {v: set(getattr(v, "required_permissions", {})) for v in views} == handled


def _nothing_here() -> type[APIView]:
    from orchestration.api.view import NothingHere

    return NothingHere
