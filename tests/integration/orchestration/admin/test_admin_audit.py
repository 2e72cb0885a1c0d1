"""Every hand action through the admin leaves who, when, why, from and to: a walk through all."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from orchestration.access.api_keys import create_key
from orchestration.access.principals import ANYBODY
from orchestration.admin.step_actions import STEP_ACTIONS
from orchestration.admin.task_actions import TASK_ACTIONS
from orchestration.models import DlqEntry, StepTransition, Task, TaskTransition
from orchestration.testing import linear
from templates_registry.models import NamedTask, TaskNamespace
from tests.factories.ticks import blocked

pytestmark = pytest.mark.django_db
ADMIN = "/admin/orchestration"
WHY = "because the bank is back"


@pytest.fixture
def task() -> Task:
    return Task.objects.get(pk=blocked(linear(3)).task_uuid)


def moves_of(task: Task) -> list[Any]:
    """Return what the person did: the hops of the task and its steps in the person's name."""
    own = TaskTransition.objects.filter(task=task, actor="user:ann")
    steps = StepTransition.objects.filter(workflow_step__task=task, actor="user:ann")
    return [*own, *steps]


def assert_recorded(moves: list[Any]) -> None:
    assert moves, "nothing stands in the history"
    for move in moves:
        assert move.actor == "user:ann"
        assert move.metadata["reason"] == WHY, move
        assert move.created_at is not None
        assert move.from_state
        assert move.to_state


@pytest.mark.parametrize("action", [each.name for each in TASK_ACTIONS])
def test_every_action_on_a_task_is_in_the_history_and_in_the_log(act, task, action):
    if action == "reset":
        act("task", "give_up", task, reason=WHY)
    before = {move.pk for move in moves_of(task)}

    act("task", action, task, reason=WHY)

    assert_recorded([move for move in moves_of(task) if move.pk not in before])
    assert LogEntry.objects.latest("pk").change_message.endswith(WHY)
    assert LogEntry.objects.latest("pk").object_id == str(task.pk)


@pytest.mark.parametrize("action", [each.name for each in STEP_ACTIONS])
def test_every_action_on_a_step_is_in_the_history_and_in_the_log(act, task, action):
    step = task.steps.get(name="step_1")

    act("workflowstep", action, step, reason=WHY)

    assert_recorded(moves_of(task))
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message.endswith(WHY)) == (str(step.pk), True)


def complete(client: Client, task: Task) -> None:
    step = task.steps.get(name="step_1")
    body = {"result": '{"done": true}', "reason": WHY}
    client.post(f"{ADMIN}/workflowstep/{step.pk}/complete/", body)


def test_completing_a_step_is_in_the_history_and_in_the_log(boss, task):
    complete(boss, task)

    assert_recorded(moves_of(task))
    assert LogEntry.objects.get().change_message == f"Complete: {WHY}"


def test_running_a_template_is_in_the_history_and_in_the_log(boss, task):
    template = NamedTask.objects.get()
    path = f"/admin/templates_registry/namedtask/{template.pk}/change/run/"

    boss.post(path, {"context": "{}", "priority": "0", "reason": WHY})

    made = Task.objects.exclude(pk=task.pk).get()
    assert (made.initiator, made.reason, made.source_system) == ("user:ann", WHY, "admin")
    first = TaskTransition.objects.filter(task=made).earliest("sort_key")
    assert (first.actor, first.metadata["reason"]) == ("user:ann", WHY)
    assert LogEntry.objects.get().change_message == f"Run: {WHY}"


def note(client: Client, entry: DlqEntry) -> None:
    client.post(f"{ADMIN}/dlqentry/{entry.pk}/note/", {"note": WHY})


def close(client: Client, entry: DlqEntry) -> None:
    body = {"entry": entry.pk, "confirmed": "1", "note": WHY, "status": "manually_resolved"}
    client.post(f"{ADMIN}/dlqentry/close/", body)


@pytest.mark.parametrize(("act_on", "status"), [(note, "pending"), (close, "manually_resolved")])
def test_every_action_on_an_investigation_names_who_when_and_why(boss, task, act_on, status):
    entry = DlqEntry.objects.create(task=task, dlq_reason="manual_dlq")

    act_on(boss, entry)

    entry.refresh_from_db()
    assert entry.resolution_status == status
    assert "user:ann]" in str(entry.resolution_notes)
    assert WHY in str(entry.resolution_notes)
    assert LogEntry.objects.get().change_message.endswith(WHY)


def describe(client: Client) -> None:
    row = TaskNamespace.objects.get(name="test")
    path = f"/admin/templates_registry/tasknamespace/{row.pk}/change/"
    client.post(path, {"description": "orders", "reason": WHY})


def make_key(client: Client) -> None:
    body = {"name": "shop", "permissions": ["tasks:read"], "namespaces": "*", "reason": WHY}
    client.post(f"{ADMIN}/apikey/new/", body)


def end_key(verb: str) -> Callable[[Client], None]:
    def end(client: Client) -> None:
        made = create_key(name="x", permissions=["*"], namespaces=[], granted_by=ANYBODY)
        client.post(f"{ADMIN}/apikey/{made.key.prefix}/{verb}/", {"reason": WHY, "days": "5"})

    return end


@pytest.mark.parametrize("change", [describe, make_key, end_key("revoke"), end_key("expire")])
def test_what_has_no_history_of_its_own_is_in_the_log_with_its_reason(boss, task, change):
    change(boss)

    entry = LogEntry.objects.get()
    assert entry.change_message.endswith(WHY)
    assert entry.user.get_username() == "ann"


def test_this_walk_knows_every_address_that_changes_something():
    """A new page that takes a POST has to be added to the walk above."""
    from django.contrib import admin

    known = {
        *("act", "live", "data", "dashboard", "queues"),  # ask, or only show
        *("complete", "run", "note", "close", "new", "revoke", "expire"),  # walked above
        *("add", "history", "delete", "change", "autocomplete"),  # Django's own; refused, or shown
    }
    ours = [each for model, each in admin.site._registry.items() if _is_ours(model)]
    for model_admin in ours:
        for pattern in model_admin.get_urls():
            words = {w for w in str(pattern.pattern).split("/") if w and not w.startswith("<")}
            assert words <= known, pattern


def _is_ours(model: Any) -> bool:
    return model._meta.app_label in ("orchestration", "templates_registry")
