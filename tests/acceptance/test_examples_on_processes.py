"""The shipped examples on a real orchestrator and a real worker, as a user meets them.

That every number is right is tested in one thread (tests/integration/workers/); here it is what
needs processes: branches at once, a killed worker between checkpoints, a child task.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command

from orchestration.client import create_task
from orchestration.models import Task, WorkflowStep
from tests.acceptance.scenarios.conftest import own_cluster  # noqa: F401 - a fixture
from tests.clusters import Cluster
from workers.examples.inventory_import import make_csv

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
NAMESPACES = ("approvals", "analytics", "payments", "customer_success", "inventory_import")
REQUEST = {"requester": "Ada", "purpose": "a loom"}
TICKET = {
    "ticket_id": "T-1",
    "customer_id": "C-7",
    "payment_id": "PAY-1006",
    "amount": 900.00,
    "reason": "damaged",
    "email": "ada@example.test",
}


def result(task: UUID, step: str) -> Any:
    results: Any = WorkflowStep.objects.get(task_id=task, name=step).results
    return results["result"]


def names(task: UUID) -> set[str]:
    return set(WorkflowStep.objects.filter(task_id=task).values_list("name", flat=True))


def start(name: str, namespace: str, context: dict[str, Any]) -> UUID:
    return create_task(name, namespace=namespace, context=context).task_uuid


def test_examples_end_as_their_tables_say(own_cluster: Cluster, tmp_path: Path):  # noqa: F811
    call_command("sync_templates", verbosity=0)
    make_csv(tmp_path / "stock.csv", 1000)
    own_cluster.orchestrator()
    own_cluster.worker("--slots", "6", *NAMESPACES)

    small = start("purchase_request", "approvals", {"amount": 120, **REQUEST})
    large = start("purchase_request", "approvals", {"amount": 5000, **REQUEST})
    assert names(large) == {"validate_request", "route_request"}
    withdrawn = start("purchase_request", "approvals", {"amount": 9, "withdrawn": True, **REQUEST})
    report = start("daily_report", "analytics", {"fail_source": "inventory", "fail_times": 2})
    flaky = start("process_refund", "payments", {"payment_id": "PAY-1005", "amount": 45.00})
    ticket = start("process_refund", "customer_success", TICKET)
    files = {
        path: start("csv_import", "inventory_import", {"path": str(tmp_path / path)})
        for path in ("stock.csv", "none.csv")
    }
    made = [small, large, withdrawn, report, flaky, ticket, *files.values()]
    own_cluster.reaches(made, ["complete"], within=90)
    child = UUID(result(ticket, "close_ticket")["refund_task_uuid"])
    own_cluster.reaches([child], ["complete"], within=30)

    assert len(names(small)) == 4
    assert result(small, "record_decision")["final"] == "approved"
    assert names(large) - names(withdrawn) == {
        "manager_review", "finance_review", "record_decision"
    }  # fmt: skip
    assert WorkflowStep.objects.get(task_id=report, name="extract_inventory").attempts == 3
    assert result(report, "build_insights")["score"] == 80
    assert WorkflowStep.objects.get(task_id=flaky, name="refund_at_gateway").attempts == 2
    assert Task.objects.filter(named_task__task_namespace__name="payments").count() == 2
    assert result(files["stock.csv"], "summarise")["total_value"] == 204081.01
    assert result(files["none.csv"], "summarise")["scenario"] == "no_batches"


def served_by_a_doomed_worker(cluster: Cluster, namespace: str, task: UUID, gate: Path) -> None:
    """Kill the worker where it halts; let another one, with the originals, go on."""
    doomed = cluster.worker(
        namespace, "--handlers=tests.handlers.halting_examples", TASKER_LOAD_EXAMPLES="false"
    )
    cluster.waits(gate.exists, within=30)
    doomed.kill()
    cluster.worker(namespace)
    cluster.reaches([task], ["complete"], within=60)


def test_an_import_goes_on_when_its_worker_is_killed_in_row_130(
    own_cluster: Cluster,  # noqa: F811
    tmp_path: Path,
):
    call_command("sync_templates", verbosity=0)
    make_csv(tmp_path / "stock.csv", 1000)
    own_cluster.orchestrator()
    gate = tmp_path / "gate"
    context = {"path": str(tmp_path / "stock.csv"), "gate": str(gate)}
    task = start("csv_import", "inventory_import", context)

    served_by_a_doomed_worker(own_cluster, "inventory_import", task, gate)

    first = WorkflowStep.objects.get(task_id=task, name="import_rows_001")
    assert first.checkpoint
    assert (first.attempts, first.checkpoint["cursor"]) == (2, 150)
    summary = result(task, "summarise")
    assert (summary["total_rows"], summary["total_value"]) == (1000, 204081.01)
    assert (summary["total_stock"], summary["checkpoints"]) == (7999, 15)


def test_a_handler_that_is_killed_after_creating_its_child_leaves_one(
    own_cluster: Cluster,  # noqa: F811
    tmp_path: Path,
):
    call_command("sync_templates", verbosity=0)
    own_cluster.orchestrator()
    gate = tmp_path / "gate"
    task = start("process_refund", "customer_success", {**TICKET, "gate": str(gate)})

    served_by_a_doomed_worker(own_cluster, "customer_success", task, gate)

    assert WorkflowStep.objects.get(task_id=task, name="start_refund").attempts == 2
    child = Task.objects.get(named_task__task_namespace__name="payments")
    assert str(child.pk) == result(task, "close_ticket")["refund_task_uuid"]
