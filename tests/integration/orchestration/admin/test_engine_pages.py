"""Workers, queues, namespaces, and the dashboard that sums them up."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orchestration.admin import queues
from orchestration.admin.advice import recommendations
from orchestration.health import HEALTHY, UNHEALTHY, CheckResult
from orchestration.queries.dashboard import SlowStep, Tiles
from orchestration.queries.queue_table import QueueRow
from orchestration.testing import TaskFactory, TemplateFactory, linear
from templates_registry.models import TaskNamespace
from tests.factories.scenes import worker
from tests.factories.ticks import blocked, claim, start

pytestmark = pytest.mark.django_db
WORKERS = "/admin/orchestration/taskerprocess/"
NAMESPACES = "/admin/templates_registry/tasknamespace/"


def test_live_and_stale_processes_are_told_apart(boss):
    report = {"slots": {"size": 8, "busy": 2, "max": 20}, "steps_succeeded": 41, "steps_failed": 3}
    worker(name="alive", report=report)
    worker(name="silent", last_heartbeat_at=timezone.now() - timedelta(hours=1))
    worker(name="gone", status="stopped")

    page = boss.get(WORKERS).content.decode()

    live, _, others = page.partition("Ended and stale")
    assert "alive" in live
    assert "2 / 8 / 20" in live
    assert "41" in live
    assert 'data-state="stale"' in others
    assert 'data-state="stopped"' in others


def test_what_is_wrong_with_the_processes_is_said(boss):
    start(linear(1))
    alone = boss.get(WORKERS).content.decode()
    worker(version="1.0.0")
    worker(version="2.0.0", kind="orchestrator", namespaces=[])

    served = boss.get(WORKERS).content.decode()

    assert "Namespace test has 1 unfinished tasks and no live worker." in alone
    assert "No process lives." in alone
    assert "no live worker" not in served
    assert "Processes of different versions run: 1.0.0, 2.0.0." in served


def test_a_process_shows_its_handlers_and_what_it_runs(boss):
    row = worker()
    start(linear(1))
    claim(worker=row.pk)

    page = boss.get(f"{WORKERS}{row.pk}/change/").content.decode()

    for text in ("test.echo", "step_1", "lease until", "box, 7"):
        assert text in page


def test_queues_show_depth_and_who_takes_from_them(boss):
    start(linear(1))
    start(linear(1))
    alone = boss.get(f"{WORKERS}queues/").content.decode()
    worker()
    claim(limit=1)

    served = boss.get(f"{WORKERS}queues/").content.decode()

    assert "worker_test_queue" in alone
    assert "✕ nobody takes" in alone
    assert "✕ nobody takes" not in served
    row = served.partition("worker_test_queue")[2].partition("</tr>")[0]
    assert row.split('tk-right">')[1].startswith("2<")


def test_a_live_part_is_asked_for_alone(boss):
    whole = boss.get(f"{WORKERS}queues/").content.decode()
    part = boss.get(f"{WORKERS}queues/", headers={"hx-request": "true"}).content.decode()

    assert 'hx-trigger="every 1s"' in whole
    assert "<html" not in part
    assert "data-live" in part


def test_the_tier_of_a_deep_queue_is_shown(boss, monkeypatch):
    row = QueueRow("worker_test_queue", 700, 700, 5, 0, 0, 0)
    monkeypatch.setattr(queues, "all_queues", lambda orchestration: [row])

    assert "! critical" in boss.get(f"{WORKERS}queues/").content.decode()


def test_namespaces_show_what_goes_on_in_them(boss):
    blocked(linear(2))
    start(linear(2))

    page = boss.get(NAMESPACES).content.decode()

    assert 'data-state="blocked_by_failures"' in page
    assert "?namespace=test&amp;state=steps_in_process" in page
    assert "✕ nobody serves it" in page


def test_a_namespace_is_described(boss):
    start(linear(1))
    row = TaskNamespace.objects.get(name="test")
    path = f"{NAMESPACES}{row.pk}/change/"

    boss.post(path, {"description": "orders", "reason": ""})
    row.refresh_from_db()
    unchanged = row.description
    boss.post(path, {"description": "<b>orders", "reason": "asked"})

    row.refresh_from_db()
    assert (unchanged, row.description) == (None, "<b>orders")
    assert "&lt;b&gt;orders" in boss.get(NAMESPACES).content.decode()
    assert boss.get(f"{NAMESPACES}{uuid4()}/change/").status_code == 302


# ------------------------------------------------------------ the dashboard


def tile(page: str, words: str) -> str:
    before = page.partition(f"</strong><span>{words}")[0]
    return before.rpartition("<strong>")[2]


def test_the_dashboard_sums_up(boss):
    now = timezone.now()
    blocked(linear(2))
    for n in range(3):
        begun = now - timedelta(minutes=5 + n)
        TaskFactory(state="complete", created_at=begun, completed_at=begun + timedelta(seconds=4))
    TaskFactory(state="error")
    TaskFactory(state="pending")
    worker()

    page = boss.get("/admin/", {"period": "1h"}).content.decode()

    numbers = {
        words: tile(page, words)
        for words in ("running", "waiting", "blocked, wait for a person", "workers live")
    }
    assert list(numbers.values()) == ["0", "1", "1", "1"]
    assert tile(page, "failed today") == "2"
    assert "1 task is blocked by failures" in page
    assert "4.000 s" in page
    assert "median: 4 s at most" in page
    for name in ("web_database", "queue_depth"):
        assert name in page


@pytest.mark.parametrize("period", ["1h", "24h", "7d", "nonsense", ""])
def test_every_period_can_be_looked_at(boss, period):
    TaskFactory(state="complete", created_at=timezone.now() - timedelta(minutes=1))

    answer = boss.get("/admin/", {"period": period, "namespace": "test"})

    assert answer.status_code == 200
    assert "cannot be shown" not in answer.content.decode()
    assert 'class="one"' in answer.content.decode()


def test_a_namespace_narrows_the_figures(boss):
    for namespace in ("test", "test_b"):
        template = TemplateFactory.create(template=linear(2, namespace=namespace))
        TaskFactory(named_task=template, state="blocked_by_failures")

    both = boss.get("/admin/").content.decode()
    one = boss.get("/admin/", {"namespace": "test"}).content.decode()

    assert tile(both, "blocked, wait for a person") == "2"
    assert tile(one, "blocked, wait for a person") == "1"
    assert "?state=blocked_by_failures&amp;namespace=test" in one


def test_advice_names_what_fails_and_what_is_slow():
    tiles = Tiles(1, 0, 0, 0, 2, 0, 0, None)
    steps = [
        SlowStep("shop", "order", "charge", 10, 100.0, 200.0, 5),
        SlowStep("shop", "order", "slow", 10, 45_000.0, 60_000.0, 0),
        SlowStep("shop", "order", "rare", 2, 1.0, 1.0, 2),
    ]
    checks = {
        "queue_depth": CheckResult(UNHEALTHY, "it is deep", 1.0),
        "loops": CheckResult(HEALTHY, "fine", 1.0),
    }

    told = recommendations(tiles, steps, checks)

    assert told == [
        "No orchestrator lives: tasks do not move on. Start manage.py run_orchestrator.",
        "No worker lives: steps wait in their queues. Start manage.py run_worker.",
        "2 investigations are pending in the DLQ.",
        "queue_depth: it is deep.",
        "shop/order, step charge: 5 of 10 attempts failed.",
        "shop/order, step slow: takes 45 s on average; split it, or run it in parallel.",
    ]
