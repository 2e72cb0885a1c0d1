"""Actions of the admin: asked with a reason, carried out or refused, always told."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry

from orchestration.models import StepTransition, Task, TaskTransition, WorkflowStep
from orchestration.testing import TaskFactory, TemplateFactory, linear
from tests.factories.ticks import assert_invariants, fail_step, run_step, run_to_the_end, start

pytestmark = pytest.mark.django_db
TASKS = "/admin/orchestration/task/"
STEPS = "/admin/orchestration/workflowstep/"


def messages(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def blocked() -> Task:
    """Return a task whose second step of three failed for good."""
    task = start(linear(3))
    run_step()
    fail_step(retryable=False)
    return Task.objects.get(pk=task.task_uuid)


def test_choosing_an_action_changes_nothing_yet(boss, blocked):
    answer = boss.post(TASKS, {"action": "cancel", "_selected_action": blocked.pk})

    page = answer.content.decode()
    assert "Cancel the selected tasks: <strong>1</strong>" in page
    assert f"test/linear_3@1.0.0, {str(blocked.pk)[-8:]}, blocked_by_failures" in page
    blocked.refresh_from_db()
    assert blocked.state == "blocked_by_failures"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_reason_is_needed(act, blocked, reason):
    answer = act("task", "cancel", blocked, reason=reason)

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    blocked.refresh_from_db()
    assert blocked.state == "blocked_by_failures"


def test_failed_steps_run_again_in_the_name_of_the_user(act, blocked):
    answer = act("task", "retry_failed_steps", blocked, reason="bank is back")

    assert messages(answer) == ["1 retried"]
    move = StepTransition.objects.get(event="reset_for_retry")
    assert (move.actor, move.metadata["reason"]) == ("user:ann", "bank is back")
    assert LogEntry.objects.get().change_message == "Retry failed steps: bank is back"
    run_to_the_end()
    blocked.refresh_from_db()
    assert blocked.state == "complete"
    assert_invariants()


@pytest.mark.parametrize(
    ("action", "state", "told"),
    [
        ("cancel", "cancelled", "1 cancelled"),
        ("resolve", "resolved_manually", "1 resolved"),
        ("give_up", "error", "1 given up"),
    ],
)
def test_a_blocked_task_is_closed(act, blocked, action, state, told):
    answer = act("task", action, blocked, reason="why not")

    blocked.refresh_from_db()
    assert (blocked.state, messages(answer)) == (state, [told])
    last = TaskTransition.objects.filter(task=blocked).latest("sort_key")
    assert (last.actor, last.metadata["reason"]) == ("user:ann", "why not")
    assert_invariants()


def test_a_task_in_error_is_reset(act, blocked):
    act("task", "give_up", blocked)

    answer = act("task", "reset", blocked)

    blocked.refresh_from_db()
    assert (blocked.state, messages(answer)) == ("steps_in_process", ["1 reset"])


def test_what_is_refused_is_told_and_does_not_stop_the_rest(act, blocked):
    done = TaskFactory.create(state="complete")

    answer = act("task", "cancel", done, blocked)

    told = messages(answer)
    assert f"Cannot cancel task {done.pk}: state is complete" in told[0]
    assert told[1] == "1 cancelled, 1 skipped: not possible in their present state"
    assert f'href="{TASKS}{done.pk}/change/"' in told[0]
    assert LogEntry.objects.count() == 1


def test_a_second_time_everything_is_refused(act, blocked):
    act("task", "cancel", blocked)

    answer = act("task", "cancel", blocked)

    assert messages(answer)[-1].startswith("0 cancelled, 1 skipped")


def test_the_page_of_a_task_comes_back_after_its_action(boss, act, blocked):
    page = f"{TASKS}{blocked.pk}/change/"
    asking = f"{TASKS}{blocked.pk}/act/cancel/?back={page}"
    assert f'href="{asking}"' in boss.get(page).content.decode()
    asked = boss.get(asking).content.decode()
    assert f'name="back" value="{page}"' in asked

    answer = act("task", "cancel", blocked, back=page)

    assert answer.redirect_chain == [(page, 302)]


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "javascript:x", "x"])
def test_nobody_is_led_to_another_site(act, blocked, back):
    answer = act("task", "cancel", blocked, back=back)

    assert all(address.startswith("/admin/") for address, _ in answer.redirect_chain)


def test_buttons_say_why_an_action_is_not_possible(boss, blocked):
    done = TaskFactory.create(state="complete")

    of_blocked, of_done = (
        boss.get(f"{TASKS}{each.pk}/change/").content.decode() for each in (blocked, done)
    )

    assert f"{TASKS}{blocked.pk}/act/retry_failed_steps/" in of_blocked
    assert "the state is blocked_by_failures; it must be error" in of_blocked
    assert "/act/" not in of_done
    assert "the task is complete" in of_done


def test_a_bulk_action_ends_in_time_and_says_what_it_left(act, blocked, monkeypatch):
    other = TaskFactory.create(state="pending")
    clock = iter([0.0, 1.0, 99.0])
    monkeypatch.setattr("orchestration.admin.actions.time.monotonic", lambda: next(clock))

    answer = act("task", "cancel", blocked, other)

    assert messages(answer) == ["1 cancelled, 1 not reached in time: act again on them"]
    assert set(Task.objects.values_list("state", flat=True)) == {"cancelled", "blocked_by_failures"}


def test_all_that_match_are_acted_upon(act):
    template = TemplateFactory()
    tasks = [TaskFactory.create(named_task=template) for _ in range(60)]

    answer = act("task", "cancel", tasks[0], select_across="1")

    assert messages(answer) == ["60 cancelled"]
    assert set(Task.objects.values_list("state", flat=True)) == {"cancelled"}


def test_an_unknown_action_or_object_is_not_found(boss, blocked):
    assert boss.get(f"{TASKS}{blocked.pk}/act/explode/").status_code == 404
    assert boss.get(f"{TASKS}{uuid4()}/act/cancel/").status_code == 404


def test_a_step_is_reset_and_resolved(act, blocked):
    step = WorkflowStep.objects.get(name="step_2")

    reset = act("workflowstep", "reset", step)
    resolved = act("workflowstep", "resolve", step, reason="by phone")

    step.refresh_from_db()
    assert (messages(reset), messages(resolved)) == (["1 reset"], ["1 resolved"])
    assert step.state == "resolved_manually"
    last = step.transitions.latest("sort_key")
    assert (last.actor, last.metadata["reason"]) == ("user:ann", "by phone")
    assert WorkflowStep.objects.get(name="step_3").state == "enqueued"
    assert_invariants()


def test_a_refused_step_names_its_state(act, blocked):
    step = WorkflowStep.objects.get(name="step_1")

    answer = act("workflowstep", "reset", step)

    told = "Cannot reset step &#x27;step_1&#x27;: state is complete, allowed: error"
    assert told in messages(answer)[0]


def test_more_than_can_be_acted_on_at_once_are_refused(boss, blocked, settings):
    settings.TASKER = {"admin_bulk_limit": 2}
    steps = list(blocked.steps.all())
    body: dict[str, Any] = {"_selected_action": [step.pk for step in steps]}

    of_steps = boss.post(STEPS, {**body, "action": "resolve"}, follow=True)
    TaskFactory(), TaskFactory()
    wish = {"action": "export_csv", "_selected_action": blocked.pk, "select_across": "1"}
    of_export = boss.post(TASKS, wish, follow=True)

    assert messages(of_steps) == ["More than 2 are selected; narrow the list and act in parts."]
    assert messages(of_export) == ["More than 2 are selected; narrow the list and export in parts."]


def test_an_action_needs_its_permission(client, grant, blocked):
    client.force_login(grant("tasks_read", "tasks_list", "steps_resolve"))
    body = {"_selected_action": blocked.pk, "confirmed": "1", "reason": "r"}

    page = client.get(TASKS).content.decode()
    asked = client.get(f"{TASKS}{blocked.pk}/act/cancel/")
    client.post(TASKS, body | {"action": "cancel"})
    blocked.refresh_from_db()
    refused = blocked.state
    client.post(TASKS, body | {"action": "retry_failed_steps"})
    blocked.refresh_from_db()

    assert "retry_failed_steps" in page
    assert 'value="cancel"' not in page
    assert asked.status_code == 403
    assert (refused, blocked.state) == ("blocked_by_failures", "steps_in_process")
