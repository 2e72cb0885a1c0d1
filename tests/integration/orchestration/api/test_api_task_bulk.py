"""POST /v1/tasks/bulk: all or nothing, one short answer each, and errors that name the request."""

import json
from typing import Any

import pytest

from orchestration import backpressure
from orchestration.access.permissions import Permission
from orchestration.models import Task, TaskTransition
from tests.credentials import key, with_key
from tests.factories.ticks import assert_invariants
from tests.integration.orchestration.api.test_api_backpressure import code_of, fill_queue

pytestmark = pytest.mark.django_db
WANTED: dict[str, Any] = {"name": "linear_2", "namespace": "test"}
PATH = "/v1/tasks/bulk"


def test_tasks_are_answered_in_the_order_of_the_requests(api, template):
    requests = [{**WANTED, "context": {"n": n}, "idempotency_key": f"k {n}"} for n in range(5)]

    answer = api.post(PATH, {"tasks": requests})

    assert answer.status_code == 201
    found = answer.json()["tasks"]
    contexts = {str(pk): context for pk, context in Task.objects.values_list("pk", "context")}
    assert [contexts[each["task_uuid"]]["n"] for each in found] == list(range(5))
    assert {(each["status"], each["created"]) for each in found} == {("steps_in_process", True)}
    assert api.get(f"/v1/tasks/{found[0]['task_uuid']}").status_code == 200
    assert_invariants()


def test_spellings_of_the_published_readme_are_understood(api, template):
    wanted = {"template_name": template, "namespace": "test", "configuration": {"order_id": 1}}

    assert api.post(PATH, {"tasks": [wanted]}).status_code == 201

    assert Task.objects.get().context == {"order_id": 1}


def test_the_principal_stands_in_the_histories_and_asks_where_nobody_is_named(api, template):
    api.post(PATH, {"tasks": [WANTED, {**WANTED, "initiator": "ann"}]})

    assert set(TaskTransition.objects.values_list("actor", flat=True)) == {"anonymous"}
    initiators = Task.objects.order_by("created_at").values_list("initiator", flat=True)
    assert list(initiators) == ["anonymous", "ann"]


def test_the_same_call_finds_its_tasks(api, template):
    body = {"tasks": [{**WANTED, "idempotency_key": f"k {n}"} for n in range(3)]}
    first = api.post(PATH, body)

    again = api.post(PATH, body)
    more = api.post(PATH, {"tasks": [*body["tasks"], WANTED]})

    assert (first.status_code, again.status_code, more.status_code) == (201, 200, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in more.headers
    uuids = [each["task_uuid"] for each in first.json()["tasks"]]
    assert [each["task_uuid"] for each in again.json()["tasks"]] == uuids
    assert [each["created"] for each in more.json()["tasks"]] == [False, False, False, True]
    assert Task.objects.count() == 4


def test_one_key_for_all_is_refused(api, template):
    answer = api.post(PATH, {"tasks": [WANTED]}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["path"] == "Idempotency-Key"
    assert not Task.objects.exists()


WRONG: dict[str, tuple[Any, int, list[str]]] = {
    "a field": ({**WANTED, "priority": 101}, 400, ["tasks[1].priority"]),
    "several": (
        {**WANTED, "priority": 101, "context": {"a": 1}, "configuration": {}},
        400,
        ["tasks[1].configuration", "tasks[1].priority"],
    ),
    "no object": ([], 400, ["tasks[1]"]),
    "a step": ({**WANTED, "bypass_steps": ["x"]}, 400, ["tasks[1].bypass_steps[0]"]),
    "a template": ({**WANTED, "name": "linear_22"}, 404, ["tasks[1]"]),
    "a key": ({**WANTED, "idempotency_key": "taken"}, 409, ["tasks[1]"]),
}


@pytest.mark.parametrize(("wrong", "status", "paths"), WRONG.values(), ids=WRONG)
def test_an_error_names_the_request_and_creates_nothing(api, template, wrong, status, paths):
    api.post("/v1/tasks", {**WANTED, "idempotency_key": "taken", "context": {"first": 1}})

    answer = api.post(PATH, {"tasks": [WANTED, wrong, WANTED]})

    error = answer.json()["error"]
    assert answer.status_code == status
    assert sorted(each["path"] for each in error["details"]) == paths
    assert error["message"].startswith("tasks[1]: ")
    assert Task.objects.count() == 1
    assert_invariants()


def test_the_most_tasks_are_taken_and_no_more(api, template):
    answer = api.post(PATH, {"tasks": [WANTED] * 1001})

    assert answer.status_code == 400
    assert [each["path"] for each in answer.json()["error"]["details"]] == ["tasks"]
    answer = api.post(PATH, {"tasks": [WANTED] * 1000})
    assert answer.status_code == 201
    assert Task.objects.count() == 1000


def test_what_cannot_be_stored_is_found_inside(api, template):
    body = json.dumps({"tasks": [WANTED, {**WANTED, "context": {"k": ["x\x00"]}}]})

    answer = api.generic("POST", PATH, body, "application/json")

    assert answer.json()["error"]["code"] == "JSON_ERROR"
    assert answer.json()["error"]["details"][0]["path"] == "tasks[1].context.k[0]"


def test_an_answer_takes_as_many_statements_for_many_tasks_as_for_few(
    api, template, django_assert_max_num_queries
):
    api.post(PATH, {"tasks": [WANTED]})

    with django_assert_max_num_queries(14):
        assert api.post(PATH, {"tasks": [WANTED] * 150}).status_code == 201


# ---------------------------------------------------------------- who may, and when


def test_every_namespace_must_be_in_the_scope(settings, api, template):
    settings.TASKER = {"environment": "production"}
    client = with_key(key([Permission.TASKS_CREATE], ["test"]))

    mixed = client.post(PATH, {"tasks": [WANTED, {**WANTED, "namespace": "other"}]}, format="json")
    own = client.post(PATH, {"tasks": [WANTED]}, format="json")

    assert (mixed.status_code, own.status_code) == (403, 201)
    assert mixed.json()["error"]["code"] == "AUTHORIZATION_FAILED"
    assert Task.objects.count() == 1


def test_bypassing_steps_needs_the_permission_of_operators(settings, api, template):
    settings.TASKER = {"environment": "production"}
    client = with_key(key([Permission.TASKS_CREATE], ["test"]))
    body = {"tasks": [WANTED, {**WANTED, "bypass_steps": ["step_1"]}]}

    answer = client.post(PATH, body, format="json")

    assert answer.status_code == 403
    assert answer.json()["error"]["details"] == {"required_permission": "steps:resolve"}
    assert not Task.objects.exists()


def test_a_deep_queue_turns_new_tasks_away_and_answers_replays(api, template, monkeypatch):
    replay = {"tasks": [{**WANTED, "idempotency_key": f"k {n}"} for n in range(2)]}
    first = api.post(PATH, replay)
    fill_queue(1000)
    monkeypatch.setattr(backpressure, "_backpressure", backpressure.Backpressure())  # look anew

    fresh = api.post(PATH, {"tasks": [*replay["tasks"], WANTED]})
    keyed = api.post(PATH, {"tasks": [*replay["tasks"], {**WANTED, "idempotency_key": "new"}]})
    again = api.post(PATH, replay)

    assert code_of(fresh) == code_of(keyed) == (503, "BACKPRESSURE", 60)
    assert again.status_code == 200
    assert [e["task_uuid"] for e in again.json()["tasks"]] == [
        e["task_uuid"] for e in first.json()["tasks"]
    ]
    assert Task.objects.count() == 2


def test_one_deep_queue_of_several_namespaces_is_enough(api, template):
    fill_queue(1000)
    other = {**WANTED, "namespace": "elsewhere"}

    assert api.post(PATH, {"tasks": [WANTED, other]}).status_code == 503
    assert api.post(PATH, {"tasks": [other]}).status_code == 404


def test_another_method_is_not_allowed(api, template):
    assert api.get(PATH).status_code == 405
