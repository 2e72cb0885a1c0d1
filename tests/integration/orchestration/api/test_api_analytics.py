"""Analytics over REST: right figures, kept for a minute, and read directly from a broken cache."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from orchestration import analytics
from orchestration.access.permissions import Permission
from orchestration.models import StepResultAudit, Task
from orchestration.testing import linear
from tests.credentials import key, with_key
from tests.factories.ticks import blocked, claim, process, report, start, success

pytestmark = pytest.mark.django_db

PERFORMANCE, BOTTLENECKS = "/v1/analytics/performance", "/v1/analytics/bottlenecks"


class BrokenCache(LocMemCache):
    """A cache whose server is away."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("no such host as secret-host")

    def set(self, *args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no such host as secret-host")


def run(times: int = 1, *, namespace: str = "test", seconds: float = 1.0) -> None:
    """Run tasks of one step to their end, each attempt of which took so long."""
    for _ in range(times):
        start(linear(1, namespace=namespace))
        (claimed,) = claim(namespace=namespace)
        report(success(claimed))
        process()
    StepResultAudit.objects.filter(task__named_task__task_namespace__name=namespace).update(
        execution_time_ms=round(seconds * 1000)
    )


def test_a_period_is_summed_up(api):
    run(3)
    blocked(linear(2))
    before = start(linear(2))
    Task.objects.filter(pk=before.task_uuid).update(created_at=_days_ago(2))

    found = api.get(PERFORMANCE).json()

    moments = {found.pop(name) for name in ("analysis_period_start", "calculated_at")}
    durations = {
        name: found.pop(name)
        for name in ("average_task_duration_seconds", "average_step_duration_seconds")
    }
    assert found == {
        "total_tasks": 4,
        "active_tasks": 2,
        "completed_tasks": 3,
        "failed_tasks": 1,
        "completion_rate": 0.75,
        "error_rate": 0.25,
        "tasks_per_hour": round(4 / 24, 3),
        "steps_per_hour": 0.125,
        "system_health_score": 0.75,
    }
    assert all(0 <= each < 60 for each in durations.values())
    assert all(each.endswith("Z") for each in moments)


def _days_ago(days: int) -> Any:
    from django.utils import timezone

    return timezone.now() - timedelta(days=days)


def test_a_longer_period_holds_more(api):
    run()
    Task.objects.update(created_at=_days_ago(2), completed_at=_days_ago(2))

    assert api.get(PERFORMANCE).json()["completed_tasks"] == 0
    assert api.get(f"{PERFORMANCE}?hours=72").json()["completed_tasks"] == 1


def test_slow_and_failing_steps_are_named_with_advice(api):
    run(5, seconds=45)
    run(4, namespace="quick", seconds=0.5)
    StepResultAudit.objects.filter(task__named_task__task_namespace__name="test").update(
        success=False
    )

    found = api.get(BOTTLENECKS).json()
    more = api.get(f"{BOTTLENECKS}?min_executions=4").json()

    (step,) = found["slow_steps"]
    assert (step["namespace_name"], step["task_name"], step["step_name"]) == (
        "test",
        "linear_1",
        "step_1",
    )
    assert (step["average_duration_seconds"], step["execution_count"]) == (45.0, 5)
    assert (step["error_count"], step["error_rate"]) == (5, 1.0)
    (task,) = found["slow_tasks"]
    assert (task["execution_count"], task["average_step_count"]) == (5, 1.0)
    assert [text.partition(" of ")[0] for text in found["recommendations"]] == ["Step 'step_1'"] * 2
    assert len(more["slow_steps"]) == len(more["slow_tasks"]) == 2
    utilization = found["resource_utilization"]
    assert 0 <= utilization["database_pool_utilization"] <= 1
    assert utilization["system_health"]["max_connections"] > 0


@pytest.mark.parametrize(
    "query", ["hours=0", "hours=721", "hours=x", "limit=5", "namespace=", "hours=1&hours=2"]
)
def test_a_wrong_period_is_refused(api, query):
    answer = api.get(f"{PERFORMANCE}?{query}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "min_executions=0", "min_executions=10001", "hours=-1"]
)
def test_wrong_limits_are_refused(api, query):
    assert api.get(f"{BOTTLENECKS}?{query}").status_code == 400


@pytest.mark.parametrize("path", [PERFORMANCE, BOTTLENECKS])
def test_an_answer_is_kept_and_read_anew_later(api, path, django_assert_num_queries):
    first = api.get(path).json()
    run(5)

    with django_assert_num_queries(0):
        kept = api.get(path).json()
    cache.clear()

    assert kept == first
    assert api.get(path).json() != first


def test_each_scope_has_its_own_answer(settings, api):
    settings.TASKER = {"environment": "production"}
    run(5)
    run(6, namespace="foreign")
    clients = {
        names: with_key(key([Permission.SYSTEM_ANALYTICS_READ], names.split(",")))
        for names in ("test", "foreign", "test,foreign", "*", "nowhere")
    }

    completed = {
        names: client.get(PERFORMANCE).json()["completed_tasks"]
        for names, client in clients.items()
    }
    inside = clients["test"].get(BOTTLENECKS)
    asked = clients["test"].get(f"{PERFORMANCE}?namespace=foreign").json()["completed_tasks"]

    assert completed == {"test": 5, "foreign": 6, "test,foreign": 11, "*": 11, "nowhere": 0}
    assert asked == 0
    assert "foreign" not in inside.content.decode()
    assert clients["*"].get(f"{PERFORMANCE}?namespace=foreign").json()["completed_tasks"] == 6


@pytest.mark.parametrize("path", [PERFORMANCE, BOTTLENECKS])
def test_a_broken_cache_is_left_out(api, monkeypatch, caplog, path):
    broken: BaseCache = BrokenCache("broken", {})
    monkeypatch.setattr(analytics, "cache", broken)

    answer = api.get(path)

    assert answer.status_code == 200
    assert {record.message for record in caplog.records} == {"analytics.cache_failed"}
    assert "secret-host" not in answer.content.decode()


def test_what_is_no_answer_in_the_cache_is_read_anew(api, monkeypatch):
    class Strange(LocMemCache):
        def get(self, *args: Any, **kwargs: Any) -> Any:
            return {"from": "an older release"}

    monkeypatch.setattr(analytics, "cache", Strange("strange", {}))

    assert api.get(PERFORMANCE).json()["total_tasks"] == 0
