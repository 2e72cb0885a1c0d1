"""Pictures of dashboard and task for README: what the demo leaves, on real processes.

They go to the folder that PICTURES_FOLDER names, docs/images say; otherwise they are thrown
away.
"""

import os
from pathlib import Path

import pytest

from orchestration.client import create_task
from orchestration.models import Task, TaskerProcess
from tasker_project.demo.cases import CASES
from templates_registry import registry
from tests.browser.conftest import Visit
from tests.clusters import REST
from tests.processes import Processes, wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
LARGEST_BYTES = 200 * 1024
NAMES = ("dashboard", "task")
TROUBLE = {"fail_source": "inventory", "fail_times": 2, "gone_source": "customers"}


def test_pictures_of_dashboard_and_task_are_taken(
    visit: Visit, person, processes: Processes, tmp_path: Path
):
    folder = Path(os.environ.get("PICTURES_FOLDER", tmp_path))
    person()
    registry.sync()
    processes.start("run_orchestrator", "--http-port", "0")
    namespaces = sorted({case.namespace for case in CASES})
    processes.start("run_worker", "--no-sync", "--http-port", "0", *namespaces)
    live = TaskerProcess.objects.filter(status="running")
    wait_until(lambda: live.count() == 2, within=60)
    for case in CASES:
        create_task(case.name, namespace=case.namespace, context=dict(case.context), tags=["demo"])
    report = create_task("daily_report", namespace="analytics", context=TROUBLE).task_uuid
    wait_until(lambda: not Task.objects.exclude(state__in=REST).exists(), within=90)

    visit.page.set_viewport_size({"width": 1280, "height": 880})
    visit.sign_in("ann")
    visit.go("/admin/?period=1h")
    visit.page.screenshot(path=folder / "dashboard.png")
    visit.page.set_viewport_size({"width": 1280, "height": 1160})
    visit.go(f"/admin/orchestration/task/{report}/change/")
    visit.page.wait_for_selector("g[data-step=extract_customers][data-state=error]")
    visit.page.screenshot(path=folder / "task.png")

    visit.assert_clean()
    for name in NAMES:
        size = (folder / f"{name}.png").stat().st_size
        assert 20_000 < size <= LARGEST_BYTES, name
