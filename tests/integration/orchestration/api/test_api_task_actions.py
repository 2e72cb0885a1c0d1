"""DELETE and PATCH of a task: the action is carried out, or refused with the present state."""

from uuid import UUID

import pytest

from orchestration.models import StepTransition, Task, TaskTransition
from orchestration.testing import linear
from tests.factories.ticks import assert_invariants, fail_step, run_step, run_to_the_end, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def blocked() -> str:
    """Return the path of a task whose second step of three failed for good."""
    task = start(linear(3))
    run_step()
    fail_step(retryable=False)
    assert Task.objects.get(pk=task.task_uuid).state == "blocked_by_failures"
    return f"/v1/tasks/{task.task_uuid}"


def last_move(path: str) -> TaskTransition:
    return TaskTransition.objects.filter(task=UUID(path.rpartition("/")[2])).latest("sort_key")


def test_a_task_is_cancelled_with_its_steps(api, create):
    path = f"/v1/tasks/{create()['task_uuid']}"

    answer = api.delete(f"{path}?reason=no+longer+wanted")

    body = answer.json()
    assert (answer.status_code, body["status"], body["is_terminal"]) == (200, "cancelled", True)
    assert {step["current_state"] for step in body["steps"]} == {"cancelled"}
    move = last_move(path)
    assert (move.actor, move.metadata["reason"]) == ("anonymous", "no longer wanted")
    assert_invariants()


def test_a_second_cancellation_is_refused_with_the_state(api, create):
    path = f"/v1/tasks/{create()['task_uuid']}"
    api.delete(path)

    answer = api.delete(path)

    assert answer.status_code == 400
    assert "state is cancelled" in answer.json()["error"]["message"]


def test_a_complete_task_cannot_be_cancelled(api):
    task = start(linear(1))
    run_to_the_end()

    answer = api.delete(f"/v1/tasks/{task.task_uuid}")

    assert answer.status_code == 400
    assert "state is complete" in answer.json()["error"]["message"]


def test_a_blocked_task_rests(api, blocked):
    body = api.get(blocked).json()

    assert (body["status"], body["is_terminal"], body["is_resting"]) == (
        "blocked_by_failures",
        False,
        True,
    )
    assert (body["execution_status"], body["recommended_action"]) == (
        "blocked_by_failures",
        "handle_failures",
    )
    assert body["completion_percentage"] == 33.33


@pytest.mark.parametrize("word", ["retry_failed_steps", "RetryFailedSteps"])
def test_failed_steps_run_again(api, blocked, word):
    answer = api.patch(blocked, {"action_type": word, "reason": "fixed", "acted_by": "Ann"})

    assert (answer.status_code, answer.json()["status"]) == (200, "steps_in_process")
    moves = StepTransition.objects.filter(event="reset_for_retry")
    assert moves.get().metadata["reason"] == "fixed (acted_by: Ann)"
    run_to_the_end()
    assert api.get(blocked).json()["status"] == "complete"
    assert_invariants()


def test_a_blocked_task_is_given_up_and_reset(api, blocked):
    given_up = api.patch(blocked, {"action_type": "give_up", "reason": "enough"})
    reset = api.patch(blocked, {"action_type": "reset", "reason": "once more"})

    assert (given_up.json()["status"], reset.json()["status"]) == ("error", "steps_in_process")
    assert_invariants()


def test_a_task_is_closed_by_hand(api, blocked):
    answer = api.patch(blocked, {"action_type": "resolve_manually", "reason": "done by phone"})

    assert answer.json()["status"] == "resolved_manually"
    assert {step["name"]: step["current_state"] for step in answer.json()["steps"]} == {
        "step_1": "complete",
        "step_2": "error",
        "step_3": "cancelled",
    }


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("retry_failed_steps", "none of its steps is in error"),
        ("reset", "allowed: error"),
        ("give_up", "allowed: blocked_by_failures"),
    ],
)
def test_a_refused_action_changes_nothing(api, create, action, said):
    path = f"/v1/tasks/{create()['task_uuid']}"
    before = api.get(path).json()

    answer = api.patch(path, {"action_type": action, "reason": "r"})

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]
    assert api.get(path).json() == before


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "action_type"),
        ({"action_type": "explode", "reason": "r"}, "action_type"),
        ({"action_type": "reset"}, "reason"),
        ({"action_type": "reset", "reason": ""}, "reason"),
        ({"action_type": "reset", "reason": "x" * 501}, "reason"),
        ({"action_type": "reset", "reason": ["r"]}, "reason"),
        ({"action_type": ["reset"], "reason": "r"}, "action_type"),
    ],
)
def test_a_bad_body_is_refused(api, create, body, named):
    answer = api.patch(f"/v1/tasks/{create()['task_uuid']}", body)

    assert answer.status_code == 400
    assert named in [each["path"] for each in answer.json()["error"]["details"]]
