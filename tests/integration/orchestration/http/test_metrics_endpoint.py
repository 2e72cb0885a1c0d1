"""`/metrics`: who may scrape, and what a scrape says after tasks have run."""

import re
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestration.client import create_task
from orchestration.errors import NotFoundError
from orchestration.lifecycle import operator_actions
from orchestration.lifecycle.investigation import EntryChange, update_entry
from orchestration.queries import gauges
from orchestration.testing import TemplateFactory, batch, decision, linear
from tests.factories import ticks
from workers.testing import run_inline

pytestmark = pytest.mark.django_db
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.fixture(autouse=True)
def _fresh_health(monkeypatch):
    monkeypatch.setattr("orchestration.health.installed._current", None)


def scrape(api) -> dict[tuple[str, str], float]:
    """Return every sample by name and labels."""
    text = api.get("/metrics").content.decode()
    return {
        (sample.name, ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Growth:
    """What has grown since the last scrape."""

    def __init__(self, api) -> None:
        self._api = api
        self._before = scrape(api)

    def __call__(self) -> dict[tuple[str, str], float]:
        now = scrape(self._api)
        return {
            key: value - self._before.get(key, 0.0)
            for key, value in now.items()
            if value != self._before.get(key, 0.0)
        }


def test_a_scrape_is_public_until_there_is_a_token(api, settings):
    settings.TASKER = {}
    answer = api.get("/metrics", HTTP_HOST="10.0.0.1:8080")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")

    settings.TASKER = {"metrics_token": "t0ken"}
    assert api.get("/metrics").status_code == 401
    assert api.get("/metrics", HTTP_AUTHORIZATION="Bearer t0kem").status_code == 401
    assert api.get("/metrics", HTTP_AUTHORIZATION="Bearer t0ken").status_code == 200


def test_there_is_nothing_to_scrape_where_metrics_are_off(api, settings):
    settings.TASKER = {"metrics_enabled": False}

    assert api.get("/metrics").status_code == 404


def test_a_run_is_counted_by_the_names_of_the_template(api):
    growth = Growth(api)

    run_inline(linear(2), {})

    found = growth()
    task, step = "namespace=test,task=linear_2", "namespace=test,step=step_2"
    ended = "namespace=test,state=complete,task=linear_2"
    ran = "namespace=test,result=success,step=step_2"
    grown = {
        ("tasker_tasks_requests_total", "namespace=test,outcome=created,task=linear_2"): 1,
        ("tasker_tasks_completions_total", task): 1,
        ("tasker_task_duration_milliseconds_count", ended): 1,
        ("tasker_task_initialization_duration_milliseconds_count", "namespace=test"): 1,
        ("tasker_steps_enqueued_total", "namespace=test"): 2,
        ("tasker_steps_successes_total", step): 1,
        ("tasker_step_execution_duration_milliseconds_count", ran): 1,
        ("tasker_step_results_processed_total", "result_type=success"): 2,
        ("tasker_message_latency_milliseconds_count", "queue=orchestration_step_results"): 2,
    }
    assert {key: found[key] for key in grown} == grown
    assert found["tasker_sql_queries_total", "query=tasks/create"] == 1
    assert found["tasker_sql_queries_total", "query=steps/enqueue_ready"] >= 1


def test_failures_are_counted_with_a_closed_set_of_types(api):
    growth = Growth(api)

    blocked = ticks.blocked().task_uuid
    operator_actions.cancel_task(blocked, actor="user:ann")

    found = growth()
    labels = "namespace=test,state=blocked_by_failures,task=linear_2"
    assert found["tasker_tasks_failures_total", labels] == 1
    assert found["tasker_tasks_cancellations_total", "namespace=test,task=linear_2"] == 1
    assert found["tasker_step_results_processed_total", "result_type=error"] == 1


def test_decisions_and_batches_are_counted(api):
    growth = Growth(api)

    run_inline(decision(), {})
    run_inline(batch(3), {})

    found = growth()
    assert found["tasker_decisions_total", "namespace=test,outcome=create_steps"] == 1
    assert found["tasker_batches_workers_created_total", "namespace=test"] >= 2
    counted = [labels for name, labels in found if name == "tasker_steps_successes_total"]
    steps = {labels.partition("step=")[2] for labels in counted}
    branches = {"start", "decide", "branch_1", "branch_2", "join"}
    assert steps == branches | {"split", "work", "collect"}  # instances count under their template


def test_what_a_request_invents_is_no_label(api):
    growth = Growth(api)

    with pytest.raises(NotFoundError):
        create_task("invented_by_a_stranger", namespace="test")

    labels = "namespace=__other__,outcome=rejected,task=__other__"
    assert growth()["tasker_tasks_requests_total", labels] == 1


def test_gauges_are_read_from_the_database(api):
    ticks.start(linear(1))
    entry = operator_actions.move_to_dlq(ticks.blocked().task_uuid, actor="user:ann")

    found = scrape(api)

    assert found["tasker_tasks_active", "state=steps_in_process"] >= 1
    assert found["tasker_tasks_oldest_age", "state=pending"] == 0
    queue = "namespace=test,queue=worker_test_queue"
    assert found["tasker_queue_depth", queue] >= 1
    assert found["tasker_queue_visible", queue] >= 1
    assert found["tasker_steps_ready", "namespace=test"] >= 1
    assert found["tasker_queue_oldest_message_age", queue] >= 0
    assert found["tasker_dlq_pending_investigations", "reason=manual_dlq"] == 1
    assert found["tasker_circuit_breaker_state", "name=web_database"] == 0
    assert ("tasker_process_uptime", "") in found

    growth = Growth(api)
    update_entry(entry, EntryChange(resolution_status="cancelled"), actor="user:ann")
    assert growth()["tasker_dlq_time_in_queue_seconds_count", "resolution=cancelled"] == 1


def test_counts_end_at_their_limit(api, monkeypatch):
    for _ in range(3):
        ticks.start(linear(1))
    monkeypatch.setattr(gauges, "MOST_COUNTED", 2)

    found = scrape(api)

    assert found["tasker_queue_depth", "namespace=test,queue=worker_test_queue"] == 2
    assert found["tasker_tasks_active", "state=steps_in_process"] == 2


def test_requests_are_counted_by_route_and_no_id_becomes_a_label(api):
    TemplateFactory.create(template=linear(1))
    task = create_task("linear_1", namespace="test").task_uuid
    growth = Growth(api)

    api.get(f"/v1/tasks/{task}")
    api.get(f"/v1/tasks/{uuid4()}")
    api.get("/nowhere/else")
    api.get("/health")

    found = growth()
    route = "v1/tasks/<str:task_uuid>"
    assert found["tasker_http_requests_total", f"method=GET,route={route},status=2xx"] == 1
    assert found["tasker_http_requests_total", f"method=GET,route={route},status=4xx"] == 1
    assert found["tasker_http_requests_total", "method=GET,route=__other__,status=4xx"] == 1
    assert not UUID.search(api.get("/metrics").content.decode())
