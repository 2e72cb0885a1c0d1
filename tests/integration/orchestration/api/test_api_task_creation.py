"""POST /v1/tasks: what is created, what is answered, what a repeated request gets."""

import re

import pytest

from orchestration.api.task_bodies import TaskSerializer
from orchestration.models import Task
from orchestration.testing import linear
from templates_registry import registry
from tests.factories.ticks import assert_invariants

pytestmark = pytest.mark.django_db
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_a_created_task_is_answered_with_its_steps(api, template):
    answer = api.post(
        "/v1/tasks",
        {
            "name": template,
            "namespace": "test",
            "context": {"order": 1},
            "tags": ["a", "b", "a"],
            "priority": 7,
            "reason": "because",
        },
    )

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/tasks/{body['task_uuid']}"
    assert "Idempotent-Replayed" not in answer.headers
    assert (body["name"], body["namespace"], body["version"]) == (template, "test", "1.0.0")
    assert (body["context"], body["tags"], body["priority"]) == ({"order": 1}, ["a", "b"], 7)
    assert (body["initiator"], body["source_system"]) == ("anonymous", "api")
    assert (body["status"], body["total_steps"]) == ("steps_in_process", 2)
    assert (body["is_terminal"], body["is_resting"]) == (False, False)
    assert {step["name"] for step in body["steps"]} == {"step_1", "step_2"}
    assert TIME.fullmatch(body["created_at"])
    assert_invariants()


def test_the_answer_has_exactly_the_documented_fields(create):
    body = create()

    assert set(body) == set(TaskSerializer().fields) - {"steps_truncated"}


def test_the_principal_stands_in_the_history(create):
    task = Task.objects.get(pk=create()["task_uuid"])

    assert set(task.transitions.values_list("actor", flat=True)) == {"anonymous"}


def test_the_body_of_the_published_readme_works(api, template):
    answer = api.post(
        "/v1/tasks",
        {"template_name": template, "namespace": "test", "configuration": {"order_id": 12345}},
    )

    assert answer.status_code == 201
    assert answer.json()["context"] == {"order_id": 12345}


def test_a_slash_at_the_end_changes_nothing(api, template):
    answer = api.post("/v1/tasks/", {"name": template, "namespace": "test"})

    assert answer.status_code == 201


def test_context_comes_back_unaltered(create, api):
    context = {
        "a": "<script>\u2028",
        "n": 10**30,
        "f": 0.1,
        "deep": [{"": None}],
        "é": "\U0001f600",
    }

    uuid = create(context=context)["task_uuid"]

    assert api.get(f"/v1/tasks/{uuid}").json()["context"] == context


def test_the_same_request_with_the_same_key_is_replayed(api, template):
    wanted = {"name": template, "namespace": "test", "idempotency_key": "k"}
    first = api.post("/v1/tasks", wanted)

    second = api.post("/v1/tasks", wanted)

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Location"] == first.headers["Location"]
    assert second.json()["task_uuid"] == first.json()["task_uuid"]
    assert Task.objects.count() == 1


def test_the_key_may_come_in_the_header(api, template):
    wanted = {"name": template, "namespace": "test"}
    first = api.post("/v1/tasks", wanted, headers={"Idempotency-Key": "k"})

    second = api.post("/v1/tasks", wanted | {"idempotency_key": "k"})

    assert (first.status_code, second.status_code) == (201, 200)


def test_another_request_with_the_same_key_conflicts_and_tells_no_uuid(api, template):
    wanted = {"name": template, "namespace": "test", "idempotency_key": "k"}
    first = api.post("/v1/tasks", wanted).json()

    second = api.post("/v1/tasks", wanted | {"context": {"other": 1}})

    assert second.status_code == 409
    assert second.json()["error"]["code"] == "CONFLICT"
    assert first["task_uuid"] not in second.content.decode()


def test_a_strict_template_refuses_the_same_context(api, db):
    registry.register(linear(1, identity_strategy="strict"))
    wanted = {"name": "linear_1", "namespace": "test", "context": {"a": 1}}

    statuses = [api.post("/v1/tasks", wanted).status_code for _ in range(2)]

    assert statuses == [201, 409]


def test_bypassed_steps_do_not_run(create):
    body = create(bypass_steps=["step_1"])

    states = {step["name"]: step["current_state"] for step in body["steps"]}
    assert states == {"step_1": "resolved_manually", "step_2": "enqueued"}


def test_a_creation_and_its_answer_take_few_queries(
    api, template, create, django_assert_max_num_queries
):
    create()  # what is read once per process

    with django_assert_max_num_queries(16):
        api.post("/v1/tasks", {"name": template, "namespace": "test"})
