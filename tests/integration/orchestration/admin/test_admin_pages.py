"""Every page of the admin: rendered, escaped, searchable, in few queries, read-only."""

from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from orchestration.models import StepTransition, Task, WorkflowStep
from orchestration.states import StepState, TaskState
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, diamond
from tests.factories.ticks import fail_step, run_step, start

pytestmark = pytest.mark.django_db
TASKS = "/admin/orchestration/task/"
STEPS = "/admin/orchestration/workflowstep/"
HOSTILE = '<script>alert("x")</script>\u202e{{ 7|add:1 }}'


def page_of(instance) -> str:
    return f"{TASKS if isinstance(instance, Task) else STEPS}{instance.pk}/change/"


@pytest.mark.parametrize("path", ["/admin/", TASKS, STEPS])
def test_pages_without_data_are_fine(boss, path):
    assert boss.get(path).status_code == 200


def test_every_state_is_shown_with_icon_and_word(boss):
    template = TemplateFactory()
    for state in TaskState:
        task = TaskFactory.create(named_task=template, state=state)
    for step_state in StepState:
        StepFactory(task=task, state=step_state)

    tasks, steps = (boss.get(path).content.decode() for path in (TASKS, STEPS))

    for page, states in ((tasks, TaskState), (steps, StepState)):
        assert page.count("border-radius:8px") == len(states)
        assert "? " not in page.partition("<tbody>")[2]
        for word in states.values:
            assert word.replace("_", " ") in page


def test_a_task_shows_its_steps_its_history_and_its_data(boss):
    task = Task.objects.get(pk=start(diamond(), {"order": 4711}).task_uuid)
    run_step({"seen": True})
    fail_step(retryable=False)

    page = boss.get(page_of(task)).content.decode()

    for text in ("start", "left", "join", "4711", "test/diamond@1.0.0", "python", "<td>no</td>"):
        assert text in page, text
    assert "steps_enqueued" in page
    assert page.count("/change/") >= 4


def test_a_step_shows_its_parents_and_its_results(boss):
    start(diamond())
    run_step({"seen": "yes"})
    step, child = WorkflowStep.objects.get(name="start"), WorkflowStep.objects.get(name="join")

    shown = boss.get(page_of(step)).content.decode()
    of_child = boss.get(page_of(child)).content.decode()

    assert "&quot;seen&quot;: &quot;yes&quot;" in shown
    assert "enqueue_for_orchestration" in shown
    assert of_child.index("left") < of_child.index("right")


def test_hostile_text_is_shown_as_text(boss):
    task = TaskFactory.create(
        tags=[HOSTILE],
        initiator=HOSTILE,
        source_system=HOSTILE,
        reason=HOSTILE,
        context={HOSTILE: HOSTILE},
        options={HOSTILE: [HOSTILE]},
        idempotency_key=HOSTILE,
        state="blocked_by_failures",
    )
    step = StepFactory.create(
        task=task,
        name=HOSTILE,
        state="error",
        inputs={HOSTILE: 1},
        results={"error": {"message": HOSTILE}},
        checkpoint={"a": HOSTILE},
    )
    StepTransition.objects.create(
        workflow_step=step,
        sort_key=99,
        to_state="error",
        event=HOSTILE,
        actor=HOSTILE,
        attempt=1,
        metadata={"reason": HOSTILE},
    )

    pages = [TASKS, STEPS, page_of(task), page_of(step), f"{TASKS}?q={HOSTILE}"]
    shown = [boss.get(path).content.decode() for path in pages]
    shown += [
        boss.post(TASKS, {"action": "cancel", "_selected_action": task.pk}).content.decode(),
        boss.post(STEPS, {"action": "reset", "_selected_action": step.pk}).content.decode(),
    ]

    for path, page in zip([*pages, "tasks", "steps"], shown, strict=True):
        assert "<script>alert" not in page, path
    assert all("&lt;script&gt;alert" in page for page in shown[1:5])
    assert "{{ 7|add:1 }}" in shown[2]


def test_a_large_context_is_cut(boss):
    page = boss.get(page_of(TaskFactory.create(context={"a": "x" * 200_000}))).content

    assert len(page) < 150_000
    assert b"more characters" in page


@pytest.mark.parametrize("count", [1, 40])
def test_pages_take_at_most_ten_queries_for_any_number_of_rows(
    boss, count, django_assert_max_num_queries
):
    template = TemplateFactory()
    for _ in range(count):
        task = TaskFactory.create(named_task=template)
    for _ in range(count):
        step = StepFactory.create(task=task, state="error", results={"error": {"message": "no"}})
    ContentType.objects.get_for_models(Task, WorkflowStep)  # kept by every process after its first

    for path in (TASKS, STEPS, page_of(task), page_of(step), f"{TASKS}?q=linear&group=open"):
        with django_assert_max_num_queries(10):
            assert boss.get(path).status_code == 200


def test_a_task_is_found_by_whatever_names_it(boss):
    flow, parent = uuid4(), uuid4()
    task = TaskFactory.create(
        tags=["blue"], idempotency_key="key-1", correlation_id=flow, parent_correlation_id=parent
    )
    TaskFactory(named_task=TemplateFactory.create(template=diamond()))
    uuid = str(task.pk)

    for word in (uuid, uuid[-8:], uuid[-8:].upper(), str(flow), str(parent), str(flow)[:13]):
        assert found(boss, TASKS, word) == {task.pk}, word
    for word in ("blue", "key-1", "linear_1", " linear_1 "):
        assert found(boss, TASKS, word) == {task.pk}, word
    for word in ("no such thing", "%00", "z" * 300):
        assert found(boss, TASKS, word) == set(), word
    assert len(found(boss, TASKS, uuid[:8])) == 2


def test_a_step_is_found_by_its_name_and_its_task(boss):
    step = StepFactory.create(name="charge_card")
    StepFactory(name="other")

    for word in ("charge", str(step.pk), str(step.pk)[-8:], str(step.task_id)):
        assert found(boss, STEPS, word) == {step.pk}, word


def found(client: Client, path: str, word: str) -> set[UUID]:
    return {each.pk for each in client.get(path, {"q": word}).context["cl"].result_list}


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("group=open", {"pending"}),
        ("group=terminal", {"complete", "error"}),
        ("state__exact=error", {"error"}),
        ("group=nonsense", {"pending", "complete", "error"}),
    ],
)
def test_the_list_is_filtered(boss, query, states):
    for state in ("pending", "complete", "error"):
        TaskFactory(state=state)

    rows = boss.get(f"{TASKS}?{query}").context["cl"].result_list

    assert {task.state for task in rows} == states


def test_nothing_is_added_changed_or_deleted(boss):
    task = TaskFactory.create()

    assert boss.get(f"{TASKS}add/").status_code == 403
    assert boss.post(page_of(task), {"priority": 5}).status_code == 403
    assert boss.post(f"{TASKS}{task.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in boss.get(TASKS).content.decode()
    task.refresh_from_db()
    assert task.priority == 0


@pytest.mark.parametrize("path", [TASKS, STEPS])
def test_a_staff_user_without_permissions_sees_nothing(client, path):
    client.force_login(User.objects.create_user("bob", is_staff=True))

    assert client.get(path).status_code == 403


def test_context_is_hidden_from_who_may_not_read_it(client, grant):
    task = TaskFactory.create(context={"secret": 1})
    client.force_login(grant("tasks_read", "tasks_list"))

    page = client.get(page_of(task)).content.decode()

    assert "secret" not in page
    assert "hidden: needs tasks:context_read" in page
    assert 'name="action"' not in page


def test_an_unknown_task_leads_back(boss):
    assert boss.get(f"{TASKS}{uuid4()}/change/").status_code == 302
    assert boss.get(f"{TASKS}nonsense/change/").status_code == 302
