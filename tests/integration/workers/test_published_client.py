"""`TaskerClient`: tasks and steps as the published client gives them, in this process."""

from uuid import uuid4

import pytest
from django.db import transaction

from orchestration.errors import ActionRefusedError, InvalidRequestError, NotFoundError
from orchestration.lifecycle import due_work
from orchestration.models import Task
from orchestration.testing import linear
from templates_registry import registry
from tests.factories import ticks
from workers import TaskerClient
from workers.published import client_models, native

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    """Return a client of a registered template with two steps."""
    registry.register(linear(2, name="pair"))
    return TaskerClient(initiator="ada", source_system="shop")


def create(client, **request):
    return client.create_task("pair", namespace="test", **request)


def test_a_task_is_created_with_the_clients_origin(client):
    made = create(client, context={"a": 1}, priority=7, tags=["x"])

    assert (made.name, made.namespace, made.version) == ("pair", "test", "1.0.0")
    assert (made.initiator, made.source_system) == ("ada", "shop")
    assert (made.reason, made.priority, made.tags) == ("Task requested", 7, ["x"])
    assert made.context == {"a": 1}
    assert (made.total_steps, made.pending_steps, made.completion_percentage) == (2, 1, 0.0)
    assert [step["name"] for step in made.steps] == ["step_1", "step_2"]
    assert client.get_task(made.task_uuid) == made
    assert native.client_get_task(made.task_uuid)["steps"] == made.steps


def test_an_origin_may_be_given_for_one_task(client):
    made = create(client, initiator="eve", reason="because")

    assert (made.initiator, made.reason) == ("eve", "because")


def test_a_task_is_gone_when_the_transaction_is_rolled_back(client):
    with transaction.atomic():
        create(client)
        transaction.set_rollback(True)

    assert not Task.objects.exists()


def test_answers_fit_the_pydantic_models(client):
    made = native.client_create_task({"name": "pair", "namespace": "test"})
    steps = native.client_list_task_steps(made["task_uuid"])

    task = client_models.ClientTaskResponse.model_validate(made)
    page = client_models.ClientTaskListResponse.model_validate(
        native.client_list_tasks(50, 0, "test", None)
    )

    assert task.steps[0].current_state == "enqueued"
    assert page.tasks == [task]
    assert [client_models.ClientStepResponse.model_validate(each).name for each in steps] == [
        "step_1",
        "step_2",
    ]


def test_lists_are_cut_at_any_offset(client):
    made = [create(client).task_uuid for _ in range(5)][::-1]  # the newest first

    def listed(**wanted):
        found = client.list_tasks(**wanted)
        return [task.task_uuid for task in found.tasks], found.pagination

    assert listed(limit=2, offset=1)[0] == made[1:3]
    uuids, page = listed(limit=3, offset=3)
    assert uuids == made[3:]
    assert (page.page, page.per_page, page.total_count, page.total_pages) == (2, 3, 5, 2)
    assert (page.has_next, page.has_previous) == (False, True)
    assert listed(namespace="elsewhere")[0] == []
    assert listed(status="complete")[0] == []
    with pytest.raises(InvalidRequestError, match="no status 'done'"):
        client.list_tasks(status="done")


def test_a_cancelled_task_is_returned_and_cannot_be_cancelled_again(client):
    made = create(client)

    assert client.cancel_task(made.task_uuid)["status"] == "cancelled"

    with pytest.raises(ActionRefusedError):
        native.client_cancel_task(made.task_uuid)


def test_steps_are_looked_at_one_by_one(client):
    made = create(client)
    first, second = client.list_task_steps(made.task_uuid)

    assert client.get_step(made.task_uuid, first.step_uuid) == first
    assert (first.total_parents, first.dependencies_satisfied) == (0, True)
    assert (second.total_parents, second.ready_for_execution) == (1, False)
    assert (first.attempts, first.max_attempts, first.results) == (0, 3, None)
    assert native.client_get_step_audit_history(made.task_uuid, first.step_uuid) == []
    assert native.client_get_step(made.task_uuid, second.step_uuid)["name"] == "step_2"


def test_attempts_are_listed_from_the_newest_on(client, clock):
    made = create(client)
    first = made.steps[0]["workflow_step_uuid"]
    ticks.fail_step()
    clock.advance(60)
    due_work.start_due_retries(move=ticks.MOVE)
    ticks.run_step({"a": 1})

    attempts = client.get_step_audit_history(made.task_uuid, first)

    assert [each.success for each in attempts] == [True, False]
    assert [each.to_state for each in attempts] == [
        "enqueued_for_orchestration",
        "enqueued_as_error_for_orchestration",
    ]
    newest, oldest = attempts
    assert (newest.step_name, newest.from_state) == ("step_1", "in_progress")
    assert newest.result is not None
    assert newest.result["result"] == {"a": 1}
    assert oldest.result is None  # earlier results are not kept


def test_what_does_not_exist_is_not_found(client):
    made = create(client)
    unknown = str(uuid4())

    for call in (
        lambda: client.get_task(unknown),
        lambda: client.list_task_steps(unknown),
        lambda: client.get_step(made.task_uuid, unknown),
        lambda: client.get_step_audit_history(made.task_uuid, unknown),
        lambda: client.create_task("nothing", namespace="test"),
    ):
        with pytest.raises(NotFoundError):
            call()
    with pytest.raises(InvalidRequestError, match="no UUID of a task"):
        client.get_task("7")


def test_health_is_that_of_the_database(client):
    answer = client.health_check()

    assert (answer.healthy, answer.status) == (True, "healthy")
    assert native.client_health_check()["healthy"] is True
