"""One task apart from itself: context, graph, summary, history, audit of a step."""

import json

import pytest

from orchestration.access.permissions import Permission
from orchestration.lifecycle import operator_actions
from orchestration.models import WorkflowStep
from orchestration.queries.dlq import create_entry
from orchestration.states import StepState
from orchestration.testing import diamond, linear
from tests.credentials import key, with_key
from tests.factories.dynamic import approval, batched, route, split
from tests.factories.ticks import (
    blocked,
    claim,
    fail_step,
    process,
    report,
    run_step,
    start,
    success,
)

pytestmark = pytest.mark.django_db

SECRETS = {"card": "4111-secret"}


def path_of(task, rest=""):
    return f"/v1/tasks/{task.task_uuid}{rest}"


def test_the_context_is_returned_with_the_options(api):
    task = start(linear(1), SECRETS, options={"colour": "red"})

    assert api.get(path_of(task, "/context")).json() == {
        "task_uuid": str(task.task_uuid),
        "context": SECRETS,
        "options": {"colour": "red"},
    }


def test_the_graph_shows_states_levels_and_what_is_satisfied(api):
    task = start(diamond())
    run_step()

    found = api.get(path_of(task, "/graph")).json()

    nodes = {each["name"]: each for each in found["nodes"]}
    assert [each["name"] for each in found["nodes"]] == ["start", "left", "right", "join"]
    assert {name: each["level"] for name, each in nodes.items()} == {
        "start": 0,
        "left": 1,
        "right": 1,
        "join": 2,
    }
    assert (nodes["start"]["state"], nodes["start"]["attempts"]) == ("complete", 1)
    assert {each["step_uuid"] for each in found["nodes"]} == {
        str(uuid) for uuid in WorkflowStep.objects.values_list("pk", flat=True)
    }
    satisfied = {(each["from"], each["to"]): each["satisfied"] for each in found["edges"]}
    assert satisfied == {
        ("start", "left"): True,
        ("start", "right"): True,
        ("left", "join"): False,
        ("right", "join"): False,
    }


def test_steps_that_never_will_exist_are_told_from_those_that_may(api):
    task = start(approval())

    def untraversed():
        nodes = api.get(path_of(task, "/graph")).json()["nodes"]
        return {each["name"]: each["untraversed"] for each in nodes if each["step_uuid"] is None}

    assert set(untraversed().values()) == {False}
    run_step()
    run_step(route("small"))

    assert untraversed() == {"medium": True, "large": True}


def test_instances_of_a_batch_are_nodes_of_their_own(api):
    task = start(batched())
    run_step(split("001", "002"))

    found = api.get(path_of(task, "/graph")).json()

    names = [each["name"] for each in found["nodes"]]
    assert names == ["analyse", "work_001", "work_002", "aggregate"]
    assert {"from": "work_002", "to": "aggregate", "satisfied": False} in found["edges"]


def test_the_drawing_is_text(api):
    task = start(diamond())

    answer = api.get(path_of(task, "/graph?format=mermaid"), headers={"Accept": "text/plain"})

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().startswith("graph TD\n")


def test_a_summary_sums_up(api):
    task = blocked(linear(2))
    create_entry(task.task_uuid, reason="manual_dlq", metadata={})

    found = api.get(path_of(task, "/summary")).json()

    assert found["task"]["status"] == "blocked_by_failures"
    assert (found["task"]["total_steps"], found["task"]["failed_steps"]) == (2, 1)
    assert found["template"]["steps"][1] == {
        "name": "step_2",
        "step_type": "standard",
        "handler": "test.echo",
        "dependencies": ["step_1"],
        "retryable": True,
        "max_attempts": 3,
    }
    first, second = found["steps"]
    assert first["error"] == {
        "error_type": "handler_error",
        "retryable": False,
        "status_code": None,
    }
    assert (first["current_state"], first["attempts"]) == ("error", 1)
    assert "error" not in second
    assert found["dlq"] == {
        "in_dlq": True,
        "dlq_reason": "manual_dlq",
        "resolution_status": "pending",
    }
    for link in found["links"].values():
        assert api.get(link).status_code == 200


def test_a_summary_holds_nothing_that_people_or_handlers_said(api):
    task = start(
        linear(2),
        SECRETS,
        options={"o": "options-secret"},
        reason="reason-secret",
        initiator="initiator-secret",
        tags=["tag-secret"],
    )
    run_step({"r": "result-secret"})
    fail_step(retryable=False)
    WorkflowStep.objects.filter(name="step_2").update(
        results={"error": {"message": "message-secret", "error_type": "Odd", "status_code": 10**30}}
    )

    answer = api.get(path_of(task, "/summary"))

    assert "secret" not in answer.content.decode()
    assert answer.json()["steps"][1]["error"]["status_code"] == 10**30
    assert answer.json()["dlq"] == {
        "in_dlq": False,
        "dlq_reason": None,
        "resolution_status": None,
    }


def test_a_summary_costs_few_queries(api, django_assert_max_num_queries):
    task = start(linear(40))
    api.get(path_of(task, "/summary"))

    with django_assert_max_num_queries(8):
        assert len(api.get(path_of(task, "/summary")).json()["steps"]) == 40


def test_the_history_tells_every_move_in_order(api):
    task = start(linear(1))
    run_step()

    found = api.get(path_of(task, "/transitions")).json()

    assert found[0]["subject"] == "task"
    assert (found[0]["from_state"], found[0]["to_state"]) == (None, "pending")
    assert [each["created_at"] for each in found] == sorted(each["created_at"] for each in found)
    for subject, final in (("task", "complete"), ("step", "complete")):
        moves = [each for each in found if each["subject"] == subject]
        assert [each["sort_key"] for each in moves] == sorted(each["sort_key"] for each in moves)
        assert moves[-1]["to_state"] == final
        assert moves[0]["duration_ms"] is None
        assert all(each["duration_ms"] >= 0 for each in moves[1:])
        assert api.get(path_of(task, f"/transitions?subject={subject}")).json() == moves
    steps = [each for each in found if each["subject"] == "step"]
    assert {each["step_name"] for each in steps} == {"step_1"}
    assert api.get(path_of(task, "/transitions?limit=2&offset=1")).json() == found[1:3]


def test_the_history_names_who_and_why(api):
    task = start(linear(1))
    operator_actions.cancel_task(task.task_uuid, actor="user:ann", reason="a mistake")

    last = [
        each
        for each in api.get(path_of(task, "/transitions")).json()
        if each["to_state"] == "cancelled"
    ]

    assert {each["subject"] for each in last} == {"task", "step"}
    assert {(each["actor"], each["reason"]) for each in last} == {("user:ann", "a mistake")}


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "offset=-1", "subject=queue"])
def test_a_wrong_part_of_the_history_is_refused(api, query):
    task = start(linear(1))

    assert api.get(path_of(task, f"/transitions?{query}")).status_code == 400


def test_the_audit_holds_one_row_for_each_attempt_that_reported(api):
    task = start(linear(1))
    (claimed,) = claim()
    operator_actions.complete_step(claimed.workflow_step_uuid, actor="user:ann", result={"by": 1})
    step = WorkflowStep.objects.get()
    path = path_of(task, f"/workflow_steps/{step.pk}/audit")
    assert api.get(path).json() == []

    other = start(linear(1))
    (claimed,) = claim()
    report(success(claimed, {"a": 1}))
    process()

    (found,) = api.get(path_of(other, f"/workflow_steps/{claimed.workflow_step_uuid}/audit")).json()
    assert (found["attempt"], found["success"], found["step_name"]) == (1, True, "step_1")
    assert found["result"]["result"] == {"a": 1}
    assert found["to_state"] == StepState.ENQUEUED_FOR_ORCHESTRATION


def test_a_step_of_another_task_has_no_audit_here(api):
    first, second = start(linear(1)), start(linear(1))
    step = WorkflowStep.objects.get(task=second.task_uuid)

    answer = api.get(path_of(first, f"/workflow_steps/{step.pk}/audit"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_a_reader_without_the_context_sees_it_nowhere(settings):
    settings.TASKER = {"environment": "production"}
    task = start(linear(1), SECRETS)
    client = with_key(key(set(Permission) - {Permission.TASKS_CONTEXT_READ}))

    assert client.get(path_of(task, "/context")).status_code == 403
    for rest in ("", "/summary", "/graph", "/transitions"):
        answer = client.get(path_of(task, rest))
        assert answer.status_code == 200
        assert "4111" not in json.dumps(answer.json()), rest
