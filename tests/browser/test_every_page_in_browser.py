"""Every page in a real browser: with nothing, one task per state, hostile text, a huge task."""

import pytest

from orchestration.models import DlqEntry, Task, WorkflowStep
from orchestration.testing import shape
from tasker_project.bench.loading import load_tasks
from templates_registry import registry
from templates_registry.models import (
    DependentSystem,
    NamedTask,
    TaskNamespace,
    TemplateRevision,
)
from templates_registry.schema import canonical
from tests.browser.conftest import PASSWORD, Visit
from tests.factories.scenes import (
    hostile_process,
    hostile_task,
    large_task,
    one_task_per_state,
    worker,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
LISTS = {
    "dashboard": "/admin/",
    "tasks": "/admin/orchestration/task/",
    "steps": "/admin/orchestration/workflowstep/",
    "dlq": "/admin/orchestration/dlqentry/",
    "templates": "/admin/templates_registry/namedtask/",
    "namespaces": "/admin/templates_registry/tasknamespace/",
    "workers": "/admin/orchestration/taskerprocess/",
    "queues": "/admin/orchestration/taskerprocess/queues/",
    "keys": "/admin/orchestration/apikey/",
    "users": "/admin/auth/user/",
}


@pytest.fixture
def ann(visit: Visit, person) -> Visit:
    """Return the window of a superuser who is signed in."""
    person()
    visit.sign_in("ann")
    return visit


def tour(visit: Visit, name: str, objects: dict[str, str] | None = None) -> None:
    """Open every page, and look whether it is whole and whether anything sticks out of it."""
    for page_name, path in {**LISTS, **(objects or {})}.items():
        page = visit.go(path)
        assert "cannot be shown" not in page.inner_text("body"), path
        visit.shot(f"{name}-{page_name}")
    visit.assert_clean()


def page_of(instance: object) -> str:
    meta = instance._meta  # type: ignore[attr-defined]
    return f"/admin/{meta.app_label}/{meta.model_name}/{instance.pk}/change/"  # type: ignore[attr-defined]


def test_every_page_without_data(ann: Visit):
    tour(ann, "empty")


def test_every_page_with_a_task_in_each_state(ann: Visit):
    registry.sync()
    tasks = one_task_per_state()
    step = WorkflowStep.objects.filter(state="error").get()
    template = NamedTask.objects.get(name="process_order")
    run = f"{page_of(template)}run/"
    objects: dict[str, object] = {
        "task": tasks[-1],
        "step": step,
        "template": template,
        "process": worker(),
        "namespace": TaskNamespace.objects.get(name="test"),
    }
    forms = {
        "run": run,
        "complete": f"/admin/orchestration/workflowstep/{step.pk}/complete/",
        "new-key": "/admin/orchestration/apikey/new/",
    }

    tour(ann, "states", {**{n: page_of(each) for n, each in objects.items()}, **forms})


def test_every_page_with_10_000_tasks(ann: Visit):
    DependentSystem.objects.get_or_create(name="default")  # a flush took the migration's row
    load_tasks(10_000)
    content = canonical(shape("load", {"load": []}, namespace="bench_load"))
    TemplateRevision.objects.filter(digest="load").update(configuration=content)
    NamedTask.objects.filter(name="load").update(configuration=content)
    task = Task.objects.filter(state="blocked_by_failures").earliest("task_uuid")
    objects = {"task": task, "step": task.steps.latest("workflow_step_uuid")}
    last = "/admin/orchestration/task/?p=200"

    tour(ann, "many", {**{n: page_of(each) for n, each in objects.items()}, "last-page": last})

    page = ann.go("/admin/orchestration/task/")
    assert "10000" in page.inner_text("body").replace(",", "").replace("\u00a0", "")


def test_every_page_with_hostile_text(ann: Visit):
    task = hostile_task()
    objects: dict[str, object] = {
        "task": task,
        "step": task.steps.get(),
        "entry": DlqEntry.objects.get(),
        "process": hostile_process(),
    }
    asked = f"/admin/orchestration/task/{task.pk}/act/cancel/"

    tour(ann, "hostile", {**{n: page_of(each) for n, each in objects.items()}, "confirm": asked})


def test_a_task_of_500_steps(ann: Visit):
    task = large_task(498)

    page = ann.go(page_of(task))

    assert page.locator("#tk-graph g[data-step]").count() == 500
    assert page.locator("#tk-steps tbody tr").count() == 200
    page.click("[data-key=all-steps]")
    page.wait_for_url("**?steps=all")
    assert page.locator("#tk-steps tbody tr").count() == 500
    page.get_by_role("button", name="Fit").click()
    ann.shot("large-task")
    ann.assert_clean()


def test_pages_say_what_they_say_without_scripts(browser, live_server, person):
    person()
    task = Task.objects.get(pk=hostile_task().pk)
    window = browser.new_context(java_script_enabled=False)
    visit = Visit(window.new_page(), str(live_server))
    page = visit.go("/admin/")
    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", PASSWORD)
    page.locator("input[name=password]").press("Enter")

    page = visit.go(page_of(task))

    assert page.locator("#tk-graph svg").is_visible()
    window.close()
