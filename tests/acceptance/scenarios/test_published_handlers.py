"""Handlers written for the published package run on real processes without an edit.

One orchestrator and one worker for all; the modules are in tests/handlers/compat, which knows
`tasker_core` only.
"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from orchestration.models import WorkflowStep
from orchestration.testing import linear
from templates_registry.schema import TaskTemplate, load_file
from tests.clusters import Cluster, execution, result
from tests.clusters import step as step_of
from tests.processes import Processes

pytestmark = pytest.mark.acceptance
TEMPLATES = Path(__file__).parents[2] / "handlers" / "compat" / "templates"


class Service(BaseHTTPRequestHandler):
    """The other service that HTTP handlers call."""

    def do_GET(self) -> None:
        user = self.path.rsplit("/", 1)[-1]
        if user == "nobody":
            self._answer(404, {"error": {"message": "no such user"}})
        else:
            self._answer(200, {"name": user.title(), "client": self.headers["X-Client"]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(201, {"said": f"{body['text']} {body['to']}"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """Return the address of the other service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def templates() -> dict[str, TaskTemplate]:
    """Return the templates of the published handlers by the name of their file."""
    return {path.stem: load_file(path) for path in sorted(TEMPLATES.glob("*.yaml"))}


@pytest.fixture(scope="module")
def shared_cluster(db: None, service: str, templates: dict[str, TaskTemplate]) -> Iterator[Cluster]:
    """Return an orchestrator and a worker that has the published handlers."""
    cluster = Cluster(Processes())
    cluster.register(linear())
    for template in templates.values():
        cluster.register(template)
    try:
        cluster.orchestrator()
        cluster.worker(
            "compat", "--handlers=tests.handlers.compat", "--slots=4", COMPAT_API_URL=service
        )
        yield cluster
    finally:
        cluster.processes.end_all()


def states(task_uuid: UUID) -> dict[str, str]:
    """Return the state of every step of a task."""
    return dict(WorkflowStep.objects.filter(task_id=task_uuid).values_list("name", "state"))


def write_csv(path: Path, *prices: str) -> str:
    """Write a CSV file with a row for each price, and return its path."""
    rows = [f"S-{number},{price}" for number, price in enumerate(prices, start=1)]
    path.write_text("\n".join(["sku,price", *rows]) + "\n")
    return str(path)


def test_functions_in_a_chain(engine: Cluster, templates):
    order = {"order_id": "O-1", "quantity": 4, "fail_times": 2}

    task_uuid = engine.run(templates["linear"], order)

    assert result(task_uuid, "price_order") == {"order_id": "O-1", "total": 10.0}
    assert result(task_uuid, "ship_order") == {"shipped": "O-1", "total": 10.0, "attempt": 3}
    assert step_of(task_uuid, "ship_order").attempts == 3
    assert execution(task_uuid, "price_order")["metadata"]["handler_version"] == "2.1.0"


def test_a_permanent_error_ends_the_step(engine: Cluster, templates):
    task_uuid = engine.run(templates["linear"], {"order_id": "O-2", "quantity": 0})

    found = execution(task_uuid, "validate_order")
    assert found["error"]["error_type"] == "permanent_error"
    assert found["metadata"]["error_code"] == "EMPTY_ORDER"
    assert states(task_uuid)["price_order"] == "pending"


def test_classes_in_a_diamond(engine: Cluster, templates):
    task_uuid = engine.run(templates["diamond"], {"number": 6})

    assert result(task_uuid, "join") == {
        "sum": 37 + 108,
        "branches": ["left", "right", "start"],
        "task": "compat_diamond",
        "callable": "tests.handlers.compat.diamond.JoinHandler",
        "capabilities": ["process"],
    }
    assert execution(task_uuid, "start")["metadata"]["custom"] == {"operation": "square"}


def test_a_failure_is_returned_by_a_class(engine: Cluster, templates):
    task_uuid = engine.run(templates["diamond"], {"number": "six"})

    found = execution(task_uuid, "start")
    assert (found["error"]["error_type"], found["error"]["retryable"]) == (
        "validation_error",
        False,
    )
    assert found["metadata"]["error_code"] == "NOT_A_NUMBER"


@pytest.mark.parametrize("style", ["decision", "decision_function"])
@pytest.mark.parametrize(
    ("amount", "approvers"),
    [(20, ["auto"]), (500, ["finance", "manager"]), (None, None)],
    ids=["small", "large", "none"],
)
def test_decisions_choose_the_branches(engine: Cluster, templates, style, amount, approvers):
    task_uuid = engine.run(templates[style], {"amount": amount})

    found = states(task_uuid)
    assert set(found.values()) == {"complete"}
    if approvers is None:
        assert set(found) == {"read_request", "route_request"}
    else:
        assert result(task_uuid, "record_approvals") == {"approved_by": approvers}
        assert len(found) == 3 + len(approvers)


def test_a_csv_file_in_batches_of_classes(engine: Cluster, templates, tmp_path):
    path = write_csv(tmp_path / "rows.csv", "1.50", "2.50", "none", "4.00", "5.25")

    task_uuid = engine.run(templates["csv_batch"], {"path": path})

    assert {name for name in states(task_uuid) if name.startswith("process_rows")} == {
        "process_rows_001",
        "process_rows_002",
        "process_rows_003",
    }
    assert result(task_uuid, "aggregate") == {
        "total": 13.25,
        "rows": 5,
        "failed": 1,
        "worker_count": 3,
        "scenario": "with_batches",
    }


def test_an_empty_csv_file_makes_no_batches(engine: Cluster, templates, tmp_path):
    task_uuid = engine.run(templates["csv_batch"], {"path": write_csv(tmp_path / "rows.csv")})

    assert result(task_uuid, "process_rows_000")["no_op"] is True
    assert result(task_uuid, "aggregate") == {
        "total": 0.0,
        "rows": 0,
        "worker_count": 0,
        "scenario": "no_batches",
    }


def test_a_csv_file_in_batches_of_functions(engine: Cluster, templates, tmp_path):
    path = write_csv(tmp_path / "rows.csv", "1.50", "2.50", "3.00")

    task_uuid = engine.run(templates["csv_batch_function"], {"path": path})

    assert result(task_uuid, "aggregate") == {"batches": 2, "total": 7.0}


def test_the_published_example_goes_on_at_its_checkpoints(engine: Cluster, templates):
    inputs = {"total_items": 60, "items_per_checkpoint": 20, "fail_after_items": 40}

    task_uuid = engine.run(templates["checkpoint"], inputs)

    worker = step_of(task_uuid, "checkpoint_yield_batch_py_001")
    assert worker.attempts == 2
    assert [each["cursor"] for each in (worker.checkpoint or {})["history"]] == [20, 40]
    assert result(task_uuid, "aggregate_results_py") == {
        "total_processed": 60,
        "running_total": sum(2 * item for item in range(60)),
        "item_count": 60,
        "checkpoints_used": 2,
        "worker_count": 1,
        "test_passed": True,
        "scenario": "with_batches",
    }


def test_the_published_example_fails_for_good_when_told_to(engine: Cluster, templates):
    inputs = {"total_items": 10, "fail_after_items": 5, "permanent_failure": True}

    task_uuid = engine.run(templates["checkpoint"], inputs)

    worker = execution(task_uuid, "checkpoint_yield_batch_py_001")
    assert worker["error"]["error_type"] == "permanent_error"
    assert worker["metadata"]["context"]["cursor_at_failure"] == 5


def test_http_handlers_call_another_service(engine: Cluster, templates):
    task_uuid = engine.run(templates["http_api"], {"user_id": "ada", "greeting": "Hello"})

    assert result(task_uuid, "fetch_user") == {"name": "Ada", "client": "compat"}
    assert result(task_uuid, "greet_user") == {"said": "Hello Ada"}
    assert execution(task_uuid, "greet_user")["metadata"]["custom"]["status_code"] == 201


def test_an_answer_of_404_is_permanent(engine: Cluster, templates):
    task_uuid = engine.run(templates["http_api"], {"user_id": "nobody", "greeting": "Hello"})

    found = execution(task_uuid, "fetch_user")["error"]
    assert (found["error_type"], found["retryable"]) == ("not_found", False)
    assert found["message"] == "HTTP 404: no such user"


def test_events_reach_the_subscriber_and_the_bridge(engine: Cluster, templates, tmp_path):
    heard, told = tmp_path / "heard", tmp_path / "told"
    inputs = {"amount": 12, "file": str(heard), "bridge_file": str(told)}

    task_uuid = engine.run(templates["events"], inputs)

    engine.waits(lambda: heard.exists() and told.exists() and told.read_text())
    assert told.read_text() == f"completed {step_of(task_uuid, 'take_payment').pk}"
    assert json.loads(heard.read_text()) == {
        "name": "payment.taken",
        "amount": 12,
        "step": "take_payment",
    }


def test_the_template_names_the_method(engine: Cluster, templates):
    task_uuid = engine.run(templates["dispatch"], {"amount": 7})

    assert result(task_uuid, "charge") == {"charged": 7}
    assert result(task_uuid, "refund") == {"refunded": 7}
