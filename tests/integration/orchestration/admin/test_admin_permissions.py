"""Who sees and does what: the seventeen permissions, and the namespaces of a person."""

import pytest

from orchestration.models import DlqEntry, Task
from orchestration.testing import linear
from templates_registry.models import NamedTask, TaskNamespace
from tests.factories.scenes import worker
from tests.factories.ticks import blocked

pytestmark = pytest.mark.django_db
ENGINE, REGISTRY = "/admin/orchestration", "/admin/templates_registry"
PERMISSION_OF = {
    f"{ENGINE}/task/": "tasks_list",
    f"{ENGINE}/task/dashboard/": "system_analytics_read",
    f"{ENGINE}/task/{{task}}/change/": "tasks_read",
    f"{ENGINE}/task/{{task}}/live/": "tasks_read",
    f"{ENGINE}/task/{{task}}/data/options/": "tasks_read",
    f"{ENGINE}/task/{{task}}/data/context/": "tasks_context_read",
    f"{ENGINE}/task/{{task}}/act/cancel/": "tasks_cancel",
    f"{ENGINE}/task/{{task}}/act/resolve/": "tasks_cancel",
    f"{ENGINE}/task/{{task}}/act/give_up/": "tasks_cancel",
    f"{ENGINE}/task/{{task}}/act/reset/": "steps_resolve",
    f"{ENGINE}/task/{{task}}/act/retry_failed_steps/": "steps_resolve",
    f"{ENGINE}/workflowstep/": "steps_read",
    f"{ENGINE}/workflowstep/{{step}}/change/": "steps_read",
    f"{ENGINE}/workflowstep/{{step}}/data/results/": "steps_read",
    f"{ENGINE}/workflowstep/{{step}}/act/reset/": "steps_resolve",
    f"{ENGINE}/workflowstep/{{step}}/act/resolve/": "steps_resolve",
    f"{ENGINE}/workflowstep/{{step}}/complete/": "steps_resolve",
    f"{ENGINE}/dlqentry/": "dlq_read",
    f"{ENGINE}/dlqentry/{{entry}}/change/": "dlq_read",
    f"{ENGINE}/taskerprocess/": "system_handlers_read",
    f"{ENGINE}/taskerprocess/{{process}}/change/": "system_handlers_read",
    f"{ENGINE}/taskerprocess/queues/": "system_handlers_read",
    f"{REGISTRY}/namedtask/": "templates_read",
    f"{REGISTRY}/namedtask/{{template}}/change/": "templates_read",
    f"{REGISTRY}/tasknamespace/": "templates_read",
}


@pytest.fixture
def places() -> dict[str, object]:
    """Return the keys of one object of each kind, all of the namespace `test`."""
    task = Task.objects.get(pk=blocked(linear(2)).task_uuid)
    entry = DlqEntry.objects.create(task=task, dlq_reason="manual_dlq")
    process = worker(namespaces=["test"])
    return {
        "task": task.pk,
        "step": task.steps.get(name="step_1").pk,
        "entry": entry.pk,
        "process": process.pk,
        "template": task.named_task_id,
        "namespace": TaskNamespace.objects.get(name="test").pk,
    }


@pytest.mark.parametrize(("path", "codename"), PERMISSION_OF.items())
def test_each_page_opens_with_its_permission_alone(client, grant, places, path, codename):
    address = path.format(**places)
    client.force_login(grant(name="nobody"))
    refused = client.get(address).status_code

    client.force_login(grant(codename))
    opened = client.get(address).status_code

    assert (refused, opened) == (403, 200)


def test_an_open_door_is_shown_in_the_sidebar_a_closed_one_is_not(client, grant):
    client.force_login(grant("dlq_read", "templates_read"))

    page = client.get("/admin/").content.decode()

    assert "DLQ desk" in page
    assert "Namespaces" in page
    for closed in ("Workers", "Queues", "API keys", "Users"):
        assert f">{closed}<" not in page.replace("\n", "").replace(" ", "")


OBJECTS = [path for path in PERMISSION_OF if "{" in path and "process" not in path]


@pytest.mark.parametrize("path", [*OBJECTS, f"{REGISTRY}/namedtask/{{template}}/change/run/"])
def test_what_is_in_another_namespace_does_not_exist(role, places, path):
    client = role("admin", namespaces=("elsewhere",))

    answer = client.get(path.format(**places))

    assert answer.status_code in (302, 404)
    assert "login" not in answer.headers.get("Location", "")


def test_lists_show_only_what_is_in_ones_namespaces(role, places):
    TaskNamespace.objects.create(name="elsewhere")
    client = role("admin", namespaces=("elsewhere",))

    for path in ("task", "workflowstep", "dlqentry", "taskerprocess", "taskerprocess/queues"):
        page = client.get(f"{ENGINE}/{path}/").content.decode()
        assert str(places["task"]) not in page, path
        assert str(places["step"]) not in page, path
        assert str(places["entry"]) not in page, path
        assert str(places["process"]) not in page, path
        assert "worker_test_queue" not in page, path
    for path in ("namedtask", "tasknamespace"):
        page = client.get(f"{REGISTRY}/{path}/").content.decode()
        assert "linear_2" not in page, path
        assert "<td>test</td>" not in page, path
    listed = client.get(f"{ENGINE}/task/").content.decode()
    assert '<option value="test">' not in listed
    assert '<option value="elsewhere">' in listed


def test_figures_count_only_what_is_in_ones_namespaces(role, places):
    shown = role("admin", namespaces=("elsewhere",)).get("/admin/").content.decode()

    assert "<strong>0</strong><span>blocked, wait for a person" in shown
    assert "<option>test</option>" not in shown


def test_nobody_without_a_namespace_sees_anything(role, places):
    client = role("admin", namespaces=())

    assert client.get(f"{ENGINE}/task/").context["cl"].result_count == 0
    assert client.get(f"{ENGINE}/task/{places['task']}/change/").status_code == 302


def test_nobody_acts_in_another_namespace(role, places):
    client = role("admin", namespaces=("elsewhere",))
    task, step, entry = places["task"], places["step"], places["entry"]
    chosen = {"confirmed": "1", "reason": "r"}

    client.post(f"{ENGINE}/task/", {**chosen, "action": "cancel", "_selected_action": task})
    client.post(
        f"{ENGINE}/workflowstep/", {**chosen, "action": "resolve", "_selected_action": step}
    )
    client.post(f"{ENGINE}/workflowstep/{step}/complete/", {"result": "{}", "reason": "r"})
    client.post(f"{ENGINE}/dlqentry/{entry}/note/", {"note": "n", "status": "cancelled"})
    closing = {"entry": entry, "confirmed": "1", "note": "n", "status": "cancelled"}
    client.post(f"{ENGINE}/dlqentry/close/", closing)

    assert Task.objects.get(pk=task).state == "blocked_by_failures"
    assert DlqEntry.objects.get(pk=entry).resolution_status == "pending"


def test_notes_and_closing_need_their_permission(client, grant, places):
    client.force_login(grant("dlq_read"))
    entry = places["entry"]

    page = client.get(f"{ENGINE}/dlqentry/{entry}/change/").content.decode()
    note = client.post(f"{ENGINE}/dlqentry/{entry}/note/", {"note": "n"})
    close = client.post(f"{ENGINE}/dlqentry/close/", {"entry": entry})

    assert (note.status_code, close.status_code) == (403, 403)
    assert '<form method="post" action="/admin/orchestration/dlqentry' not in page


def test_running_needs_its_permission(client, grant, places):
    path = f"{REGISTRY}/namedtask/{places['template']}/change/"
    client.force_login(grant("templates_read"))

    assert f"{path}run/" not in client.get(path).content.decode()
    assert client.get(f"{path}run/").status_code == 403
    assert (
        client.post(f"{path}run/", {"context": "{}", "priority": 0, "reason": "r"}).status_code
        == 403
    )
    assert Task.objects.count() == 1


def test_only_superusers_describe_namespaces(role, boss, places):
    path = f"{REGISTRY}/tasknamespace/{places['namespace']}/change/"
    assert boss.get(path).status_code == 200
    client = role("admin")

    assert client.get(path).status_code == 403
    assert client.post(path, {"description": "x", "reason": "r"}).status_code == 403


def test_everybody_else_s_template_is_not_run(client, grant, places):
    client.force_login(grant("templates_read", "tasks_create", namespaces=("elsewhere",)))
    path = f"{REGISTRY}/namedtask/{places['template']}/change/run/"

    assert client.post(path, {"context": "{}", "priority": 0, "reason": "r"}).status_code == 404
    assert NamedTask.objects.count() == 1
