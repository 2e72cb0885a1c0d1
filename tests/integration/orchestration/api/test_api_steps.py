"""The steps of a task: list, read, and the three actions on one."""

import pytest

from orchestration.api.step_bodies import StepSerializer
from orchestration.models import WorkflowStep
from orchestration.testing import StepFactory, TaskFactory, diamond, linear
from tests.factories.dynamic import approval, names, route
from tests.factories.ticks import assert_invariants, claim, fail_step, run_step, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def steps(api):
    """Return a function: path of a task's steps → body of each by name."""

    def ask(task_uuid, query=""):
        answer = api.get(f"/v1/tasks/{task_uuid}/workflow_steps{query}")
        assert answer.status_code == 200, answer.content
        return {step["name"]: step for step in answer.json()}

    return ask


def path_of(name: str) -> str:
    step = WorkflowStep.objects.get(name=name)
    return f"/v1/tasks/{step.task_id}/workflow_steps/{step.pk}"


def act(api, name: str, action: str, **body):
    return api.patch(path_of(name), {"action_type": action, "reason": "r", **body})


def test_steps_show_their_parents_and_results(steps):
    task = start(diamond())
    run_step({"a": 1})

    found = steps(task.task_uuid)

    assert set(found) == {"start", "left", "right", "join"}
    assert set(found["start"]) == set(StepSerializer().fields)
    assert found["start"]["results"]["result"] == {"a": 1}
    assert found["join"]["dependencies"] == ["left", "right"]
    assert (found["join"]["total_parents"], found["join"]["completed_parents"]) == (2, 0)
    assert (found["left"]["dependencies_satisfied"], found["left"]["current_state"]) == (
        True,
        "enqueued",
    )


def test_a_single_step_says_the_same_as_the_list(api, steps):
    task = start(diamond())
    run_step()

    for name, listed in steps(task.task_uuid, "?state=pending,enqueued").items():
        assert api.get(path_of(name)).json() == listed


def test_the_list_is_narrowed_and_counted(api):
    task = start(diamond())

    answer = api.get(f"/v1/tasks/{task.task_uuid}/workflow_steps?state=pending&limit=2&offset=2")

    assert [step["current_state"] for step in answer.json()] == ["pending"]
    assert answer.headers["X-Total-Count"] == "3"


@pytest.mark.parametrize("query", ["?state=nope", "?limit=0", "?limit=5001", "?offset=-1", "?x=1"])
def test_a_bad_query_is_refused(api, query):
    assert api.get(f"/v1/tasks/{TaskFactory.create().pk}/workflow_steps{query}").status_code == 400


def test_a_step_of_another_task_is_not_found(api):
    step, other = StepFactory.create(state="error"), TaskFactory.create()
    path = f"/v1/tasks/{other.pk}/workflow_steps/{step.pk}"

    assert api.get(path).status_code == 404
    answer = api.patch(path, {"action_type": "reset_for_retry", "reason": "r"})
    assert answer.status_code == 404
    step.refresh_from_db()
    assert step.state == "error"


def test_the_list_takes_four_queries_for_any_number_of_steps(api, django_assert_num_queries):
    for template in (linear(1), linear(9)):
        task = start(template)
        with django_assert_num_queries(4):
            api.get(f"/v1/tasks/{task.task_uuid}/workflow_steps")


def test_a_failed_step_is_reset(api):
    start(linear(2))
    fail_step(retryable=False)

    answer = act(api, "step_1", "reset_for_retry", reset_by="Ann")

    body = answer.json()
    assert (answer.status_code, body["current_state"], body["attempts"]) == (200, "enqueued", 0)
    step = WorkflowStep.objects.get(name="step_1")
    move = step.transitions.get(event="reset_for_retry")
    assert (move.actor, move.metadata["reason"]) == ("anonymous", "r (reset_by: Ann)")
    assert_invariants()


def test_a_step_is_resolved_and_its_child_runs(api, steps):
    task = start(linear(2))

    answer = act(api, "step_1", "ResolveManually")

    assert answer.json()["current_state"] == "resolved_manually"
    assert steps(task.task_uuid)["step_2"]["current_state"] == "enqueued"
    assert_invariants()


def test_a_step_is_completed_with_a_result_that_its_child_sees(api):
    start(linear(2))
    data = {"result": {"total": 5}, "metadata": {"by": "phone"}}

    answer = act(api, "step_1", "complete_manually", completion_data=data)

    step = WorkflowStep.objects.get(name="step_1")
    assert answer.json()["results"] == {
        "step_uuid": str(step.pk),
        "success": True,
        "status": "completed",
        "result": {"total": 5},
        "metadata": {"by": "phone"},
        "error": None,
    }
    (claimed,) = claim()
    assert claimed.dependency_results["step_1"]["result"] == {"total": 5}
    assert_invariants()


def test_a_decision_is_completed_with_the_branches_it_shall_take(api):
    created = start(approval(), bypass_steps=["validate"])
    refused = act(api, "decide", "complete_manually", completion_data={"result": route("nowhere")})

    answer = act(api, "decide", "complete_manually", completion_data={"result": route("small")})

    (problem,) = refused.json()["error"]["details"]
    assert (refused.status_code, problem["path"]) == (400, "completion_data.result")
    assert "INVALID_DESCENDANT" in problem["message"]
    assert (answer.status_code, answer.json()["current_state"]) == (200, "complete")
    assert names(created.task_uuid) == {"validate", "decide", "small", "finish"}
    assert_invariants()


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (
            "reset_for_retry",
            "Cannot reset step 'step_1': state is resolved_manually, allowed: error",
        ),
        ("resolve_manually", "state is resolved_manually"),
        ("complete_manually", "state is resolved_manually"),
    ],
)
def test_a_refused_action_names_the_state(api, action, said):
    start(linear(2))
    act(api, "step_1", "resolve_manually")

    answer = act(api, "step_1", action, completion_data={"result": 1})

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"action_type": "complete_manually", "reason": "r"}, "completion_data"),
        (
            {"action_type": "complete_manually", "reason": "r", "completion_data": {}},
            "completion_data.result",
        ),
        ({"action_type": "give_up", "reason": "r"}, "action_type"),
        ({"action_type": "reset_for_retry"}, "reason"),
        (
            {
                "action_type": "complete_manually",
                "reason": "r",
                "completion_data": {"result": "x" * 11_000_000},
            },
            "completion_data.result",
        ),
    ],
    ids=["no data", "no result", "action of tasks", "no reason", "too large"],
)
def test_a_bad_body_is_refused(api, body, named):
    start(linear(1))

    answer = api.patch(path_of("step_1"), body)

    assert answer.status_code == 400
    assert named in [each["path"] for each in answer.json()["error"]["details"]]
