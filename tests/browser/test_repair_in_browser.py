"""A blocked order in a real browser, on real processes: found, understood, repaired, watched."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from orchestration.client import create_task
from orchestration.models import StepTransition, Task
from templates_registry import registry
from templates_registry.schema import load_text
from tests.browser.conftest import Visit
from tests.processes import ManageProcess, Processes, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
TEMPLATE = """
name: order
namespace_name: shop
version: 1.0.0
steps:
  - {name: reserve, handler: shop.reserve}
  - {name: charge, handler: shop.charge, dependencies: [reserve]}
  - {name: ship, handler: shop.ship, dependencies: [charge]}
"""
ANOTHER = """
name: note
namespace_name: shop
version: 1.0.0
steps:
  - {name: reserve, handler: shop.reserve}
"""
HANDLERS = """
from workers import PermanentError, step_handler


@step_handler("shop.reserve")
def reserve():
    return {{}}


@step_handler("shop.charge")
def charge():
    {charge}


@step_handler("shop.ship")
def ship():
    return {{}}
"""
BROKEN = 'raise PermanentError("The bank has moved to another address", error_code="BANK_MOVED")'
StartWorker = Callable[[str], ManageProcess]


@pytest.fixture
def start_worker(processes: Processes, tmp_path: Path) -> StartWorker:
    """Return a function that starts a worker with a handler of this kind."""
    for template in (TEMPLATE, ANOTHER):
        registered = registry.register(load_text(template))
        assert registered.named_task_uuid, registered.findings

    def start(charge: str) -> ManageProcess:
        (tmp_path / "shop_handlers.py").write_text(HANDLERS.format(charge=charge))
        return processes.start(
            *("run_worker", "--no-sync", "--http-port", "0", "--handlers=shop_handlers", "shop"),
            PYTHONPATH=str(tmp_path),
            PYTHONDONTWRITEBYTECODE="1",
        )

    return start


def retry(page: Page, *, because: str) -> None:
    """Retry the failed steps of the task that is shown, and wait for its page."""
    page.get_by_role("link", name="Retry failed steps").click()
    page.fill("textarea[name=reason]", because)
    page.get_by_role("button", name="Retry failed steps", exact=True).click()
    page.wait_for_selector("#tk-graph")


def test_an_order_is_found_understood_repaired_and_watched_turning_green(
    visit: Visit, person, processes: Processes, start_worker: StartWorker
):
    person()
    processes.start("run_orchestrator", "--http-port", "0")
    worker = start_worker(BROKEN)
    order = create_task("order", namespace="shop").task_uuid
    task = Task.objects.filter(pk=order)
    worker.says("step.failed", within=60)
    wait_until(task.filter(state="blocked_by_failures").exists)
    create_task("note", namespace="shop")

    visit.sign_in("ann")
    page = visit.go("/admin/")
    page.locator("#nav-sidebar-apps").get_by_role("link", name="Tasks").first.click()
    page.click(".tk-chip:has-text('blocked by failures')")
    page.wait_for_url("**state=blocked_by_failures**")
    page.wait_for_selector("a.tk-link")
    assert page.locator("a.tk-link").count() == 1
    page.click("a.tk-link")
    said = page.inner_text("[aria-label=Task]")
    assert "“charge” failed after 1 of 3 attempts: The bank has moved to another address" in said
    assert page.locator("g[data-step=charge][data-state=error]").count() == 1

    worker.kill()
    start_worker("return {'paid': True}")
    retry(page, because="the address is corrected")
    page.evaluate("window.sameDocument = true")

    for name in ("charge", "ship"):
        page.wait_for_selector(f"g[data-step={name}][data-state=complete]")
    page.wait_for_selector("#tk-live :text('at rest since')")
    assert page.evaluate("window.sameDocument")  # nobody has reloaded it
    assert task.get().state == "complete"
    move = StepTransition.objects.get(event="reset_for_retry")
    assert (move.actor, move.metadata["reason"]) == ("user:ann", "the address is corrected")
    visit.assert_clean()
