"""Admin and API at 100,000 tasks: queries and time of the server; not run by default.

pytest -m benchmark tests/benchmarks/test_admin_speed.py -s
"""

import os
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orchestration.models import Task
from orchestration.testing import shape
from tasker_project.bench.loading import load_tasks
from templates_registry.models import DependentSystem, NamedTask, TemplateRevision
from templates_registry.schema import canonical
from tests.factories.scenes import large_task

TASKS = 100_000
LOOKS = 5


class Figures(NamedTuple):
    """One page: what it asked, what it used of the processor, and how long it took."""

    queries: int
    used_ms: float
    wall_ms: float


MOST_QUERIES, MOST_MS = 10, 500
LIST = "/admin/orchestration/task/"
PAGES = {
    "dashboard, 24 h": "/admin/?period=24h",
    "dashboard, 7 d": "/admin/?period=7d",
    "dashboard, one namespace": "/admin/?namespace=bench_load",
    "list": LIST,
    "list, page 1,000": f"{LIST}?p=1000",
    "list, open": f"{LIST}?group=open",
    "list, one state": f"{LIST}?state=blocked_by_failures",
    "list, a frequent state": f"{LIST}?state=complete",
    "list, has failed steps": f"{LIST}?failed=on",
    "list, in the DLQ": f"{LIST}?dlq=on",
    "list, namespace": f"{LIST}?namespace=bench_load",
    "list, by tag": f"{LIST}?tag=nobody",
    "list, by initiator": f"{LIST}?initiator=nobody",
    "list, by age": f"{LIST}?o=-8",
    "list, by priority": f"{LIST}?o=-6",
    "list, search by template": f"{LIST}?q=load",
    "list, search by 8 digits": f"{LIST}?q={{end}}",
    "list, search by uuid": f"{LIST}?q={{uuid}}",
    "task": "/admin/orchestration/task/{uuid}/change/",
    "task, live part": "/admin/orchestration/task/{uuid}/live/",
    "steps": "/admin/orchestration/workflowstep/",
    "steps, one state": "/admin/orchestration/workflowstep/?state__exact=error",
    "steps, search by name": "/admin/orchestration/workflowstep/?q=step_3",
    "task of 500 steps": "/admin/orchestration/task/{large}/change/",
    "500 steps, live part": "/admin/orchestration/task/{large}/live/",
    "step": "/admin/orchestration/workflowstep/{step}/change/",
    "DLQ desk": "/admin/orchestration/dlqentry/",
    "templates": "/admin/templates_registry/namedtask/",
    "template": "/admin/templates_registry/namedtask/{template}/change/",
    "namespaces": "/admin/templates_registry/tasknamespace/",
    "workers": "/admin/orchestration/taskerprocess/",
    "queues": "/admin/orchestration/taskerprocess/queues/",
    "API: tasks": "/v1/tasks",
    "API: tasks, one state": "/v1/tasks?status=complete",
    "API: tasks, page 1,000": "/v1/tasks?page=1000",
    "API: task": "/v1/tasks/{uuid}",
    "API: summary": "/v1/tasks/{uuid}/summary",
    "API: transitions": "/v1/tasks/{uuid}/transitions",
    "API: graph of 500 steps": "/v1/tasks/{large}/graph",
    "API: steps of 500": "/v1/tasks/{large}/workflow_steps",
    "API: DLQ statistics": "/v1/dlq/stats",
    "API: templates": "/v1/templates",
    "API: performance, 30 days": "/v1/analytics/performance?hours=720",
    "API: bottlenecks, 30 days": "/v1/analytics/bottlenecks?hours=720",
}


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.django_db(transaction=True)
def test_every_page_is_quick_beside_100_000_tasks(client):
    DependentSystem.objects.get_or_create(name="default")  # a flush took the migration's row
    load_tasks(TASKS)
    graph = {f"step_{n}": [f"step_{n - 1}"] if n > 1 else [] for n in range(1, 6)}
    content = canonical(shape("load", {**graph, "load": []}, namespace="bench_load"))
    TemplateRevision.objects.filter(digest="load").update(configuration=content)
    NamedTask.objects.filter(name="load").update(configuration=content)
    client.force_login(operator())
    task = Task.objects.filter(state="blocked_by_failures").order_by("task_uuid")[500]
    step = task.steps.latest("workflow_step_uuid")
    places = {
        "uuid": task.pk,
        "end": str(task.pk)[-8:],
        "step": step.pk,
        "template": task.named_task_id,
        "large": large_task(498).pk,
    }

    found = {}
    for name, path in PAGES.items():
        found[name] = seen = look(client, path.format(**places))
        told = f"{seen.queries:3} queries {seen.used_ms:6.0f} ms used {seen.wall_ms:6.0f} ms passed"
        sys.stderr.write(f"{name:26} {told}\n")

    slow = {
        name: each for name, each in found.items() if each[0] > MOST_QUERIES or each[1] > MOST_MS
    }
    assert slow == {}


def operator() -> User:
    """Return somebody whose every permission and namespace is asked for."""
    user = User.objects.create_user("olga", is_staff=True)
    user.groups.add(
        Group.objects.get_or_create(name="tasker-admin")[0],
        Group.objects.create(name="ns:*"),
    )
    return user


def look(client: Client, path: str) -> Figures:
    """Return the queries of a page, and the medians of its times."""
    times, used = [], []
    for _ in range(LOOKS):
        cache.clear()  # what a page keeps for a minute, it has to find first
        with CaptureQueriesContext(connections["default"]) as captured:
            before, began = used_ms(), time.perf_counter()
            answer = client.get(path)
            times.append((time.perf_counter() - began) * 1000)
            used.append(used_ms() - before)
        assert answer.status_code == 200, path
        assert b"cannot be shown" not in answer.content, path
    counted = [q for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT"))]
    return Figures(len(counted), statistics.median(used), statistics.median(times))


def used_ms() -> float:
    """Return the processor's time of this process and of its database session so far."""
    backend = Path(f"/proc/{connections['default'].connection.info.backend_pid}/stat")
    user, system = backend.read_text().rpartition(")")[2].split()[11:13]
    ticks = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return (time.process_time() + ticks) * 1000
