"""Namespaces: what lies outside of a credential's scope is as if it were not there."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from orchestration.access.permissions import Permission
from orchestration.models import DlqEntry, Task
from orchestration.testing import linear
from templates_registry import registry
from tests.access_table import OTHER_NAMESPACE, World, make_world
from tests.credentials import key, signed_in, with_key

pytestmark = pytest.mark.django_db
HERE = {"name": "linear_1", "namespace": "test"}
THERE = {"name": "linear_1", "namespace": OTHER_NAMESPACE}


@pytest.fixture
def worlds(settings) -> tuple[World, World]:
    """Return what is inside of the scope of `scoped`, and what is outside."""
    settings.TASKER = {"environment": "production"}
    return make_world(), make_world(OTHER_NAMESPACE)


@pytest.fixture
def scoped(worlds) -> APIClient:
    """Return a client whose key may everything in the namespace `test`."""
    return with_key(key(Permission, ["test"]))


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_lists_and_counts_hold_what_is_inside(scoped, worlds):
    inside, _ = worlds

    found = scoped.get("/v1/tasks").json()
    assert [row["task_uuid"] for row in found["tasks"]] == [inside.task_uuid]
    assert found["pagination"]["total_count"] == 1
    entries = scoped.get("/v1/dlq")
    assert [row["dlq_entry_uuid"] for row in entries.json()] == [inside.entry_uuid]
    assert entries.headers["X-Total-Count"] == "1"
    for path in ("/v1/dlq/investigation-queue", "/v1/dlq/staleness"):
        assert [row["task_uuid"] for row in scoped.get(path).json()] == [inside.task_uuid], path
    assert [row["total"] for row in scoped.get("/v1/dlq/stats").json()] == [1]


def test_a_filter_for_another_namespace_finds_nothing(scoped):
    for path in ("/v1/tasks", "/v1/dlq"):
        found = scoped.get(f"{path}?namespace={OTHER_NAMESPACE}").json()
        assert (found["tasks"] if path == "/v1/tasks" else found) == []


def test_somebody_who_sees_nothing_gets_empty_lists(worlds):
    client = with_key(key(Permission, []))

    assert client.get("/v1/tasks").json()["pagination"]["total_count"] == 0
    for path in ("", "/stats", "/investigation-queue", "/staleness"):
        assert client.get(f"/v1/dlq{path}").json() == []


def test_several_namespaces_are_seen_together_by_keys_and_people(worlds):
    namespaces = ["test", OTHER_NAMESPACE]
    person = signed_in(permissions=Permission, namespaces=namespaces)

    for client in (with_key(key(Permission, namespaces)), person):
        assert client.get("/v1/tasks").json()["pagination"]["total_count"] == 2


def test_a_step_is_not_reached_through_a_task_that_is_seen(scoped, worlds):
    inside, outside = worlds
    path = f"/v1/tasks/{inside.task_uuid}/workflow_steps/{outside.step_uuid}"
    body = {"action_type": "resolve_manually", "reason": "r"}

    assert code_of(scoped.get(path)) == (404, "NOT_FOUND")
    assert code_of(scoped.patch(path, body)) == (404, "NOT_FOUND")
    assert Task.objects.get(pk=outside.task_uuid).state == "blocked_by_failures"


def test_an_unseen_object_and_an_unknown_one_read_the_same(scoped, worlds):
    _, outside = worlds
    unknown = "01890000-0000-7000-8000-000000000000"

    for path, uuid in (
        ("/v1/tasks/{}", outside.task_uuid),
        ("/v1/tasks?after={}", outside.task_uuid),
        ("/v1/tasks/{}/workflow_steps", outside.task_uuid),
        ("/v1/dlq/task/{}", outside.task_uuid),
    ):
        texts = {
            scoped.get(path.format(each)).json()["error"]["message"].replace(each, "-")
            for each in (uuid, unknown)
        }
        assert len(texts) == 1


def test_what_cannot_be_seen_cannot_be_changed(scoped, worlds):
    _, outside = worlds
    task = f"/v1/tasks/{outside.task_uuid}"

    for answer in (
        scoped.delete(task),
        scoped.patch(task, {"action_type": "reset", "reason": "r"}),
        scoped.patch(f"/v1/dlq/entry/{outside.entry_uuid}", {"resolution_notes": "mine"}),
        scoped.post(f"/v1/dlq/task/{outside.task_uuid}", {}),
    ):
        assert code_of(answer) == (404, "NOT_FOUND")
    assert Task.objects.get(pk=outside.task_uuid).state == "blocked_by_failures"
    assert DlqEntry.objects.get(pk=outside.entry_uuid).resolution_notes is None


def test_creating_elsewhere_is_refused_whether_or_not_there_is_such_a_namespace(scoped):
    before = Task.objects.count()
    texts = set()

    for namespace in (OTHER_NAMESPACE, "no_such_namespace"):
        answer = scoped.post("/v1/tasks", {**THERE, "namespace": namespace})
        assert code_of(answer) == (403, "AUTHORIZATION_FAILED")
        assert answer.headers["x-auth-failure-reason"] == "forbidden"
        texts.add(answer.json()["error"]["message"].replace(namespace, "-"))

    assert len(texts) == 1
    assert Task.objects.count() == before


def test_a_key_of_another_namespace_is_neither_replayed_nor_in_conflict(scoped):
    everywhere = with_key(key(["*"]))
    assert everywhere.post("/v1/tasks", {**THERE, "idempotency_key": "k"}).status_code == 201

    replayed = scoped.post("/v1/tasks", {**THERE, "idempotency_key": "k"})
    conflict = scoped.post("/v1/tasks", {**THERE, "idempotency_key": "k", "priority": 1})
    own = scoped.post("/v1/tasks", {**HERE, "idempotency_key": "k"})

    assert code_of(replayed) == code_of(conflict) == (403, "AUTHORIZATION_FAILED")
    assert own.status_code == 201


def test_an_unknown_template_suggests_none_of_another_namespace(scoped):
    registry.register(linear(3, name="secret_plan", namespace=OTHER_NAMESPACE))

    answer = scoped.post("/v1/tasks", {**HERE, "name": "secret_plan"})
    near = scoped.post("/v1/tasks", {**HERE, "name": "linear_9"})

    assert code_of(answer) == (404, "NOT_FOUND")
    assert OTHER_NAMESPACE not in answer.json()["error"]["message"]
    assert "test/linear_1" in near.json()["error"]["message"]
    assert OTHER_NAMESPACE in (
        with_key(key(["*"])).post("/v1/tasks", {**HERE, "name": "secret_plan"}).content.decode()
    )


def test_messages_belong_to_the_namespace_of_their_queue_and_the_engines_to_nobody(worlds):
    for queue in ("worker_test_queue", "worker_foreign_queue", "orchestration_step_results"):
        DlqEntry.objects.create(dlq_reason="poison_message", queue_name=queue, message={})

    def queues(*namespaces: str) -> set[str]:
        client = with_key(key([Permission.DLQ_READ], namespaces))
        return {row["queue_name"] for row in client.get("/v1/dlq").json()} - {None}

    assert queues("test") == {"worker_test_queue"}
    assert queues("orchestration") == set()  # a namespace may be called like that
    assert len(queues("*")) == 3
    engines = DlqEntry.objects.get(queue_name="orchestration_step_results").pk
    client = with_key(key(Permission, ["test", "orchestration"]))
    changed = client.patch(f"/v1/dlq/entry/{engines}", {"resolution_notes": "mine"})
    assert code_of(changed) == (404, "NOT_FOUND")


def test_an_entry_stays_with_the_namespace_of_its_purged_task(scoped, worlds):
    inside, outside = worlds
    DlqEntry.objects.update(task=None)

    entries = {row["dlq_entry_uuid"] for row in scoped.get("/v1/dlq").json()}

    assert entries == {inside.entry_uuid}
    assert outside.entry_uuid not in entries
