"""What people do in the admin, in a real browser; `test_repair_in_browser` does it on processes."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from orchestration.lifecycle import operator_actions
from orchestration.models import DlqEntry, Task, TaskTransition
from orchestration.testing import linear
from templates_registry import registry
from templates_registry.models import NamedTask
from tests.browser.conftest import Visit
from tests.factories.ticks import blocked, claim, process, report, run_to_the_end, start, success

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
TASKS = "/admin/orchestration/task/"


@pytest.fixture
def ann(visit: Visit, person) -> Iterator[Visit]:
    """Return the window of a superuser who is signed in."""
    person()
    visit.sign_in("ann")
    yield visit
    visit.assert_clean()


def state_of(task_uuid: UUID) -> str:
    return Task.objects.values_list("state", flat=True).get(pk=task_uuid)


def confirm(visit: Visit, button: str, reason: str) -> None:
    visit.page.fill("textarea[name=reason]", reason)
    visit.page.get_by_role("button", name=button, exact=True).click()


def test_a_wrong_password_lets_nobody_in(visit: Visit, person):
    person()
    page = visit.go("/admin/")
    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", "guess")
    page.click("button[type=submit]")

    assert "correct username and password" in page.inner_text("body")
    visit.shot("login")
    visit.assert_clean()


def test_what_is_open_stays_open_while_the_page_looks_again(ann: Visit):
    task = start(linear(2))
    page = ann.go(f"{TASKS}{task.task_uuid}/change/")
    page.focus("#tk-graph")
    page.keyboard.press("+")
    page.keyboard.press("+")
    enlarged = "drawing => parseFloat(drawing.style.width) / drawing.getAttribute('width')"
    size = page.locator("#tk-graph svg").evaluate(enlarged)

    report(*map(success, claim()))
    process()
    page.wait_for_selector("g[data-step=step_1][data-state=complete]")

    assert size == pytest.approx(1.25**2)
    assert page.locator("#tk-graph svg").evaluate(enlarged) == pytest.approx(size)
    assert page.evaluate("document.activeElement.id") == "tk-graph"


def test_the_loss_of_the_server_is_told(ann: Visit):
    task = start(linear(2))
    page = ann.go(f"{TASKS}{task.task_uuid}/change/")

    page.route("**/live/**", lambda route: route.abort())

    page.wait_for_selector("[data-connection]:has-text('connection lost, last seen')")
    page.unroute("**/live/**")
    report(*map(success, claim()))
    process()
    page.wait_for_selector("g[data-step=step_1][data-state=complete]")
    assert page.inner_text("[data-connection]") == ""


def test_many_tasks_are_cancelled_at_once_with_a_reason(ann: Visit):
    tasks = [start(linear(1)).task_uuid for _ in range(3)]
    page = ann.go(TASKS)

    for box in page.locator("input.action-select").all():
        box.check()
    page.select_option("select[name=action]", "cancel")
    page.get_by_role("button", name="Run").click()
    assert "Cancel the selected tasks: 3" in page.inner_text(".tk")
    ann.shot("confirm")
    confirm(ann, "Cancel", "the shop is closed")

    page.wait_for_selector("text=3 cancelled")
    assert {state_of(task) for task in tasks} == {"cancelled"}
    last = TaskTransition.objects.filter(to_state="cancelled")
    assert {(move.actor, move.metadata["reason"]) for move in last} == {
        ("user:ann", "the shop is closed")
    }


def test_a_template_is_run_from_its_form(ann: Visit):
    registry.sync()
    template = NamedTask.objects.get(name="register_user")
    page = ann.go("/admin/templates_registry/namedtask/")
    page.get_by_role("link", name="register_user").click()
    ann.shot("template")
    page.get_by_role("link", name="Run", exact=True).click()
    ann.shot("run")

    page.fill("input[name=context_email]", "ann@example.com")
    page.fill("input[name=context_name]", "Ann")
    page.select_option("select[name=context_plan]", label="team")
    page.fill("[name=reason]", "asked by phone")
    page.get_by_role("button", name="Create the task").click()

    page.wait_for_selector("g[data-step]")
    task = Task.objects.get(named_task=template)
    assert task.context["email"] == "ann@example.com"
    assert (task.context["name"], task.context["plan"]) == ("Ann", "team")
    assert task.reason == "asked by phone"
    assert "user:ann, admin" in page.inner_text("[aria-label=Task]")


def test_a_stuck_task_is_found_at_the_desk_understood_and_repaired_by_clicks_alone(ann: Visit):
    stuck = blocked(linear(2)).task_uuid
    operator_actions.move_to_dlq(stuck, actor="system:detector", reason="it does not move")
    page = ann.go("/admin/")
    assert "1 task is blocked by failures" in page.inner_text(".tk")
    ann.shot("dashboard")

    page.get_by_role("link", name="DLQ desk").click()
    ann.shot("dlq")
    page.get_by_role("link", name="manual_dlq", exact=True).click()
    assert "step_1: no" in page.inner_text("[aria-label=Entry]")
    ann.shot("dlq-entry")
    page.get_by_role("link", name="Retry failed steps").click()
    confirm(ann, "Retry failed steps", "repaired")
    page.wait_for_selector("text=1 retried")
    assert "/dlqentry/" in page.url
    run_to_the_end()

    page.reload()
    assert "complete" in page.inner_text("[aria-label=Entry]")
    page.fill("textarea[name=note]", "the bank was down")
    page.select_option("select[name=status]", "manually_resolved")
    page.get_by_role("button", name="Save").click()

    page.wait_for_selector("text=Closed")
    entry = DlqEntry.objects.get()
    assert (entry.resolution_status, entry.resolved_by) == ("manually_resolved", "user:ann")
    assert state_of(stuck) == "complete"


def test_everything_is_reached_by_the_keyboard(ann: Visit):
    task = blocked(linear(2)).task_uuid
    page = ann.go(f"{TASKS}{task}/change/")

    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.dataset.key || e.dataset.zoom || e.id || e.closest('g')?.dataset.step)"
                "(document.activeElement)"
            )
        )

    for wanted in ("act-retry_failed_steps", "in", "fit", "graph", "step_1", "tk-history"):
        assert wanted in reached, (wanted, reached)
