"""Every page of the admin: rendered with nothing, everything and hostile text, in few queries."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from orchestration import sql
from orchestration.access.api_keys import create_key
from orchestration.access.principals import ANYBODY
from orchestration.admin import dlq_entry, task_parts
from orchestration.models import DlqEntry, Task, WorkflowStep
from orchestration.queries import dashboard as figures
from orchestration.states import StepState, TaskState
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, diamond
from templates_registry import registry
from templates_registry.models import NamedTask, TaskNamespace, TemplateRevision
from tests.factories.scenes import (
    HOSTILE,
    hostile_process,
    hostile_task,
    one_task_per_state,
    worker,
)
from tests.factories.ticks import blocked, fail_step, run_step, start

pytestmark = pytest.mark.django_db
TASKS = "/admin/orchestration/task/"
STEPS = "/admin/orchestration/workflowstep/"
DLQ = "/admin/orchestration/dlqentry/"
TEMPLATES = "/admin/templates_registry/namedtask/"
NAMESPACES = "/admin/templates_registry/tasknamespace/"
WORKERS = "/admin/orchestration/taskerprocess/"
QUEUES = f"{WORKERS}queues/"
KEYS = "/admin/orchestration/apikey/"
LISTS = ("/admin/", f"{TASKS}dashboard/", TASKS, STEPS, DLQ, TEMPLATES, NAMESPACES, WORKERS, QUEUES)
FAILED = "cannot be shown"


def page_of(instance) -> str:
    meta = instance._meta
    return f"/admin/{meta.app_label}/{meta.model_name}/{instance.pk}/change/"


@pytest.mark.parametrize("path", [*LISTS, KEYS, f"{KEYS}new/"])
def test_pages_without_data_say_what_to_do(boss, path):
    answer = boss.get(path)

    assert answer.status_code == 200
    page = answer.content.decode()
    assert FAILED not in page
    if path in (TASKS, DLQ, TEMPLATES, NAMESPACES, WORKERS, KEYS):
        assert "tk-empty" in page


def test_every_state_is_shown_with_icon_and_word(boss):
    one_task_per_state()

    tasks, steps = (boss.get(path).content.decode() for path in (TASKS, STEPS))

    for state in TaskState.values:
        assert f'data-state="{state}"' in tasks
    for state in StepState.values:
        assert f'data-state="{state}"' in steps
    assert '<span aria-hidden="true">?</span>' not in tasks + steps


def test_every_page_of_one_object_is_shown(boss):
    registry.sync()
    created = blocked(diamond())
    task = Task.objects.get(pk=created.task_uuid)
    entry = DlqEntry.objects.create(task=task, dlq_reason="manual_dlq", original_state="pending")
    pages = [page_of(each) for each in [task, *task.steps.all(), entry, *NamedTask.objects.all()]]
    pages += [f"{page_of(each)}run/" for each in NamedTask.objects.all()]
    pages += [page_of(TaskNamespace.objects.first()), page_of(hostile_process())]
    pages += [f"{STEPS}{step.pk}/complete/" for step in task.steps.all()]

    for path in pages:
        answer = boss.get(path)
        assert answer.status_code == 200, path
        assert FAILED not in answer.content.decode(), path


def test_hostile_text_is_shown_as_text(boss):
    task = hostile_task()
    step, entry = task.steps.get(), task.dlq_entries.get()
    process = hostile_process()
    key = create_key(name="<script>alert(1)", permissions=["*"], namespaces=[], granted_by=ANYBODY)
    objects = [page_of(each) for each in (task, step, entry, process)]
    forms = [f"{STEPS}{step.pk}/complete/", f"{KEYS}{key.key.prefix}/revoke/"]
    asked = [f"{TASKS}{task.pk}/act/cancel/", f"{STEPS}{step.pk}/act/reset/"]
    searches = [f"{path}?q={HOSTILE}" for path in (TASKS, STEPS, TEMPLATES)]
    live = f"{TASKS}{task.pk}/live/?history={HOSTILE}"

    for path in [*LISTS, KEYS, *objects, *forms, *asked, *searches, live]:
        answer = boss.get(path)
        page = answer.content.decode()
        assert answer.status_code == 200, path
        assert "<script>alert" not in page, path
        assert "{{ 7|add:1 }}" in page or "7|add:1" not in page, path
        assert "14" not in page or "{{ 7" in page or "7|add" not in page, path


def test_hostile_parameters_are_refused_or_ignored(boss):
    for path in LISTS:
        for query in ("namespace=%00", "p=-1", "p=x", "period=%3Cb%3E", "state=nonsense", "o=99"):
            assert boss.get(f"{path}?{query}", follow=True).status_code in (200, 400), (path, query)


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("who", ["admin", "operator"])
def test_pages_take_at_most_ten_queries_for_any_number_of_rows(
    role, count, who, at_most, known_kinds
):
    template = TemplateFactory()
    for _ in range(count):
        task = TaskFactory.create(named_task=template, state="blocked_by_failures")
        DlqEntry.objects.create(task=task, dlq_reason="manual_dlq", task_snapshot={"name": "x"})
    for _ in range(count):
        step = StepFactory.create(task=task, state="error", results={"error": {"message": "no"}})
    entry = DlqEntry.objects.get(task=task)
    client = role(who)
    pages = [*LISTS, f"{TASKS}?q=linear&group=open&state=blocked_by_failures&failed=on&dlq=on"]
    pages += [page_of(each) for each in (task, step, entry, template)]
    pages += [f"{TASKS}{task.pk}/live/", f"{DLQ}?status=all", f"{STEPS}?state__exact=error"]
    pages += [f"{TASKS}{task.pk}/act/cancel/", f"{STEPS}{step.pk}/complete/"]

    for path in pages:
        boss_first = client.get(path)  # what a process keeps after its first look
        assert boss_first.status_code == 200, path
        with at_most(10):
            client.get(path)


def test_a_part_that_fails_leaves_the_rest_of_the_page(boss, monkeypatch):
    created = blocked(diamond())

    def broken(*args, **rest):
        raise RuntimeError("secret host name")

    monkeypatch.setattr(task_parts, "render_svg", broken)
    monkeypatch.setattr(figures, "series", broken)

    page = boss.get(f"{TASKS}{created.task_uuid}/change/").content.decode()
    first = boss.get("/admin/").content.decode()

    for shown, kept in ((page, "Timeline of test/diamond"), (first, "in the DLQ")):
        assert shown.count(FAILED) == 1
        assert kept in shown
        assert "RuntimeError" in shown
        assert "secret host name" not in shown


def test_a_template_that_cannot_be_read_fails_only_where_it_is_needed(boss):
    task = TaskFactory.create(state="blocked_by_failures")
    step = StepFactory.create(task=task, state="error")
    TemplateRevision.objects.filter(pk=task.template_revision_id).update(digest="broken")
    TemplateRevision.objects.filter(pk=task.template_revision_id).update(configuration={})

    page = boss.get(page_of(task)).content.decode()
    of_step = boss.get(page_of(step)).content.decode()

    assert "The graph cannot be shown." in page
    assert step.name in page
    assert "The retry policy cannot be shown." in of_step
    assert "Attempts" in of_step


def test_statistics_that_the_database_refuses_show_a_box(boss, monkeypatch):
    monkeypatch.setattr(sql, "read", lambda path: "SELECT 1 / 0")

    page = boss.get("/admin/").content.decode()

    assert page.count("The database did not answer in time, or refused.") >= 2
    assert "Health of this process" in page


def test_nothing_is_added_changed_or_deleted(boss):
    task = TaskFactory.create()

    assert boss.get(f"{TASKS}add/").status_code == 403
    assert boss.get(f"{TASKS}{task.pk}/delete/").status_code == 403
    assert boss.post(f"{TASKS}{task.pk}/delete/", {"post": "yes"}).status_code == 403
    boss.post(page_of(task), {"priority": 5})
    assert "delete_selected" not in boss.get(TASKS).content.decode()
    task.refresh_from_db()
    assert task.priority == 0


@pytest.mark.parametrize("who", ["superuser", "admin"])
def test_django_s_own_pages_of_an_object_never_fail(boss, role, who):
    task = Task.objects.get(pk=blocked(diamond()).task_uuid)
    entry = DlqEntry.objects.create(task=task, dlq_reason="manual_dlq")
    made = create_key(name="x", permissions=["*"], namespaces=[], granted_by=ANYBODY)
    template = task.named_task
    rows: list[Any] = [task, task.steps.first(), entry, worker(), made.key]
    rows += [template, template.task_namespace]
    client = boss if who == "superuser" else role("admin", namespaces=("test",))

    for row in rows:
        for view in ("delete/", "history/"):
            answer = client.get(page_of(row).replace("change/", view))
            assert answer.status_code in (200, 302, 403), (row, view)
            assert view == "history/" or answer.status_code != 200


def test_what_is_unknown_leads_back(boss):
    for path in (TASKS, STEPS, DLQ, TEMPLATES, WORKERS):
        for key in (uuid4(), "nonsense"):
            answer = boss.get(f"{path}{key}/change/")
            assert answer.status_code == 302, path
            assert answer.headers["Location"] == path


def test_who_may_nothing_is_told_whom_to_ask(client):
    client.force_login(User.objects.create_user("bob", is_staff=True))

    page = client.get("/admin/").content.decode()

    assert "no permission of Tasker is yours yet" in page
    assert "DLQ desk" not in page


def test_people_who_are_not_signed_in_are_asked_to(client):
    created = start(diamond())
    run_step()
    fail_step(retryable=False)
    task = Task.objects.get(pk=created.task_uuid)
    step = WorkflowStep.objects.filter(task=task).first()

    for path in [*LISTS, page_of(task), page_of(step), f"{TASKS}{task.pk}/live/", KEYS]:
        answer = client.get(path)
        assert answer.status_code == 302
        assert "/admin/login/" in answer.headers["Location"]


def test_advice_is_given_for_every_reason():
    from orchestration.models import DlqReason

    assert set(dlq_entry.ADVICE) == set(DlqReason.values)
