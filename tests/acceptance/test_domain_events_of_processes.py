"""Domain events and misbehaving handlers with real processes."""

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from orchestration.messaging import pgmq
from orchestration.models import Task
from templates_registry import registry
from tests.clusters import Cluster, execution, step
from tests.processes import ManageProcess, Processes

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

NAMESPACES = ("eventful", "order_fulfillment")
EXAMPLE = Path(registry.__file__).parents[1] / "templates" / "examples" / "process_order.yaml"
ORDER = {
    "customer": {"id": "c1", "email": "c@shop.example"},
    "items": [{"sku": "TEA-100", "quantity": 2}],
    "shipping": {"method": "standard"},
}
CONDITIONS = ("success", "failure", "retryable_failure", "permanent_failure", "always")


@pytest.fixture
def cluster(processes: Processes) -> Cluster:
    return Cluster(processes)


@pytest.fixture
def heard(tmp_path: Path) -> Path:
    """Return the file of the subscriber."""
    file = tmp_path / "heard"
    file.touch()
    return file


def start(cluster: Cluster, heard: Path, *templates: Any) -> ManageProcess:
    """Start one process of each kind; return the worker."""
    for template in templates:
        cluster.register(template)
    cluster.orchestrator()
    return cluster.worker(
        "--handlers=tests.handlers.eventful",
        *NAMESPACES[: len(templates)],
        EVENTS_FILE=str(heard),
    )


def template(**steps: dict[str, Any]) -> Any:
    return registry.load_text(
        json.dumps(
            {
                "name": "odd",
                "namespace_name": "eventful",
                "version": "1.0.0",
                "steps": [{"name": name, **given} for name, given in steps.items()],
            }
        )
    )


def queued(namespace: str) -> list[dict[str, Any]]:
    found = pgmq.read(f"{namespace}_domain_events", limit=100, visibility_seconds=0)
    return [each.body for each in found]


def fired(namespace: str, task: UUID) -> list[str]:
    """Return what the queue holds of a task, in order."""
    mine = [each for each in queued(namespace) if each["metadata"]["task_uuid"] == str(task)]
    return [each["event_name"] for each in mine]


def test_events_of_the_example_and_of_every_outcome(cluster: Cluster, heard: Path):
    every = [
        {"name": f"odd.{each}", "condition": each, "delivery_mode": "broadcast"}
        for each in CONDITIONS
    ]
    odd = template(
        twice={
            "handler": "eventful.second_time",
            "retry": {"max_attempts": 2, "backoff_base_ms": 10},
            "publishes_events": [{"name": "odd.raising", "publisher": "raising"}, *every],
        }
    )
    example = registry.load_file(EXAMPLE)
    start(cluster, heard, odd, example)

    tasks = {
        token: cluster.run(
            example, {**ORDER, "payment": {"method": "card", "token": token}}, within=60
        )
        for token in ("tok_ok", "tok_declined", "tok_flaky")
    }
    twice = cluster.run(odd, within=60)

    namespace = "order_fulfillment"
    assert fired(namespace, tasks["tok_ok"]) == ["payment.captured"]
    assert fired(namespace, tasks["tok_flaky"]) == ["payment.captured"]
    assert fired(namespace, tasks["tok_declined"]) == ["payment.refused"]
    assert Task.objects.get(pk=tasks["tok_declined"]).state == "blocked_by_failures"
    assert step(tasks["tok_flaky"], "process_payment").attempts == 3
    assert fired("eventful", twice) == [
        *("odd.failure", "odd.retryable_failure", "odd.always"),
        *("odd.success", "odd.always"),
    ]

    captured = next(each for each in queued(namespace) if each["event_name"] == "payment.captured")
    assert captured["payload"]["payload"] == captured["execution_result"]["result"]
    assert captured["payload"]["execution_result"] == execution(
        UUID(captured["metadata"]["task_uuid"]), "process_payment"
    )
    expected = {
        f"{each['event_name']} {each['event_id']}"
        for each in (*queued(namespace), *queued("eventful"))
        if each["event_name"] != "payment.refused"  # durable alone
    }
    cluster.waits(lambda: len(heard.read_text().splitlines()) >= len(expected), within=30)
    assert Counter(heard.read_text().splitlines()) == Counter(expected)


def test_handlers_that_misbehave_strand_neither_steps_nor_the_worker(cluster: Cluster, heard: Path):
    odd = template(
        leaking={"handler": "eventful.leak_threads"},
        blocking={"handler": "eventful.block_signals"},
        leaving={"handler": "eventful.exit", "retry": {"max_attempts": 1}},
    )
    worker = start(cluster, heard, odd)

    task = cluster.run(odd, within=60)

    states = dict(Task.objects.get(pk=task).steps.values_list("name", "state"))
    assert states == {"leaking": "complete", "blocking": "complete", "leaving": "error"}
    assert "main thread" in execution(task, "blocking")["result"]["refused"]
    assert execution(task, "leaving")["metadata"]["error_type"] == "handler_error"
    worker.send(signal.SIGTERM)
    assert worker.ends(within=30) == 0
    assert "process.threads_left" in worker.output
