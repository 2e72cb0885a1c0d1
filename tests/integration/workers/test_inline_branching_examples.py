"""The examples with decisions, batches, a child task and parallel branches, run in one thread.

Every row of the tables of handlers.md 10.2, 10.3, 10.5 and 10.6 that needs no process; the others
are in tests/acceptance/test_examples_on_processes.py.
"""

from pathlib import Path
from typing import Any

import pytest

from orchestration.models import Task
from workers.examples.inventory_import import make_csv
from workers.testing import InlineRun, WorkerLost, run_inline

pytestmark = pytest.mark.django_db


# ------------------------------------------------------------ approvals/purchase_request


def ask(amount: Any, **changes: Any) -> InlineRun:
    """Run a purchase request."""
    given = {"amount": amount, "requester": "Ada", "purpose": "a loom", **changes}
    return run_inline("approvals/purchase_request", given)


@pytest.mark.parametrize(
    ("amount", "changes", "final", "approvals"),
    [
        (120, {}, "approved", [("auto", True)]),
        (499.99, {}, "approved", [("auto", True)]),
        (500, {}, "approved", [("manager", True)]),
        (4999.99, {}, "approved", [("manager", True)]),
        (5000, {}, "approved", [("manager", True), ("finance", True)]),
        (60000, {}, "rejected", [("manager", True), ("finance", False)]),
        (800, {"cost_center": "frozen"}, "rejected", [("manager", False)]),
    ],
)
def test_a_request_is_decided_by_those_who_have_to(amount, changes, final, approvals):
    run = ask(amount, **changes)

    run.assert_complete()
    assert len(run.steps) == 3 + len(approvals)
    decided = run.result("record_decision")
    assert decided["final"] == final
    assert [(each["by"], each["approved"]) for each in decided["approvals"]] == approvals


def test_a_withdrawn_request_asks_nobody():
    run = ask(9000, withdrawn=True)

    run.assert_complete()
    assert list(run.steps) == ["validate_request", "route_request"]


@pytest.mark.parametrize(
    "changes",
    [{"amount": 0}, {"amount": True}, {"amount": "9"}, {"requester": " "}, {"purpose": None}],
)
def test_a_request_that_nobody_could_approve_stops_at_once(changes):
    run = ask(**{"amount": 10, **changes})

    run.assert_blocked("validate_request", error_code="INVALID_REQUEST")
    assert len(run.steps) == 2


# ------------------------------------------------------------ the import of a file

BATCH_VALUES = [41095.01, 40789.04, 40737.90, 40058.10, 41400.96]
ALL_ROWS = {
    "scenario": "with_batches",
    "worker_count": 5,
    "total_rows": 1000,
    "total_value": 204081.01,
    "total_stock": 7999,
    "failed": 0,
    "errors": [],
    "checkpoints": 15,
}


def load(path: Path, rows: int | None, **options: Any) -> InlineRun:
    """Run an import of a file of so many rows, None for no such file."""
    if rows is not None:
        make_csv(path, rows)
    return run_inline("inventory_import/csv_import", {"path": str(path)}, **options)


def test_a_file_is_imported_in_batches_with_checkpoints(tmp_path):
    run = load(tmp_path / "stock.csv", 1000)

    run.assert_complete()
    assert run.result("summarise") == ALL_ROWS
    workers = [run.steps[f"import_rows_{number:03}"] for number in range(1, 6)]
    assert [worker.result["value_cents"] / 100 for worker in workers] == BATCH_VALUES
    for start, worker in zip(range(0, 1000, 200), workers, strict=True):
        assert (worker.attempts, worker.dispatches) == (1, 4)
        assert worker.checkpoint
        cursors = [each["cursor"] for each in worker.checkpoint["history"]]
        assert cursors == [start + 50, start + 100, start + 150]


def test_a_batch_that_fails_goes_on_from_its_checkpoint(tmp_path):
    make_csv(tmp_path / "stock.csv", 1000)
    run = run_inline(
        "inventory_import/csv_import",
        {"path": str(tmp_path / "stock.csv"), "fail_at_row": 130},
    )

    run.assert_complete()
    assert run.result("summarise") == ALL_ROWS
    failed = run.steps["import_rows_001"]
    assert (failed.attempts, failed.dispatches) == (2, 5)


def test_a_batch_whose_worker_is_lost_goes_on_from_its_checkpoint(tmp_path):
    def lose_worker(step: str, attempt: int, number: int) -> None:
        if (step, attempt, number) == ("import_rows_001", 1, 3):
            raise WorkerLost

    run = load(tmp_path / "stock.csv", 1000, on_dispatch=lose_worker)

    run.assert_complete()
    assert run.result("summarise") == ALL_ROWS
    assert run.steps["import_rows_001"].attempts == 2


def test_a_small_file_is_one_batch(tmp_path):
    run = load(tmp_path / "stock.csv", 120)

    run.assert_complete()
    assert run.steps["import_rows_001"].dispatches == 3
    summary = run.result("summarise")
    assert (summary["worker_count"], summary["checkpoints"]) == (1, 2)
    assert (summary["total_value"], summary["total_stock"]) == (22294.45, 955)


@pytest.mark.parametrize("rows", [0, None])
def test_nothing_to_import_is_summed_up_too(tmp_path, rows):
    run = load(tmp_path / "stock.csv", rows)

    run.assert_complete()
    assert list(run.steps) == ["analyze_file", "import_rows_000", "summarise"]
    nothing = dict.fromkeys(("total_rows", "total_value", "total_stock", "failed"), 0)
    expected = {**nothing, "scenario": "no_batches", "worker_count": 0}
    assert expected.items() <= run.result("summarise").items()


def test_a_row_without_numbers_is_counted_and_told_without_its_text(tmp_path):
    path = tmp_path / "stock.csv"
    path.write_text("sku,price,stock\nA,1.00,2\nB,secret,3\nC,4.00,NaN\nD\n")

    run = load(path, None)

    run.assert_complete()
    summary = run.result("summarise")
    assert (summary["total_rows"], summary["failed"], summary["total_value"]) == (4, 3, 2.00)
    assert summary["errors"] == [
        {"row": 1, "column": "price"},
        {"row": 2, "column": "stock"},
        {"row": 3, "column": "price"},
        {"row": 3, "column": "stock"},
    ]


def test_a_file_that_is_no_csv_is_refused_for_good(tmp_path):
    path = tmp_path / "stock.csv"
    path.write_text("sku,price,stock\n" + "9" * 200_000)

    load(path, None).assert_blocked("analyze_file", error_code="UNREADABLE_FILE")


# ------------------------------------------------------------ payments and customer_success


def refund(payment_id: str, amount: Any, **changes: Any) -> InlineRun:
    """Run a refund."""
    return run_inline(
        "payments/process_refund", {"payment_id": payment_id, "amount": amount, **changes}
    )


@pytest.mark.parametrize(
    ("payment", "amount", "kind", "remaining", "days"),
    [
        ("PAY-1001", 50.00, "partial", 70.00, 5),
        ("PAY-1004", 350.00, "closing", 0.00, 2),
        ("PAY-1005", 45.00, "full", 0.00, 5),
    ],
)
def test_a_refund_is_paid_and_booked(payment, amount, kind, remaining, days):
    run = refund(payment, amount)

    run.assert_complete()
    assert run.result("check_eligibility")["kind"] == kind
    assert run.result("refund_at_gateway")["settlement_days"] == days
    posted = run.result("post_ledger")
    assert posted["remaining_after"] == remaining
    assert [entry["amount"] for entry in posted["entries"]] == [amount, amount]
    assert run.result("notify_customer") == {"sent": False, "channel": "none"}
    assert run.steps["refund_at_gateway"].attempts == (2 if payment == "PAY-1005" else 1)


@pytest.mark.parametrize(
    ("payment", "amount", "code"),
    [
        ("PAY-9", 1.00, "PAYMENT_NOT_FOUND"),
        ("PAY-1001", 0, "INVALID_AMOUNT"),
        ("PAY-1001", "x", "INVALID_AMOUNT"),
        ("PAY-1003", 1.00, "WINDOW_EXPIRED"),
        ("PAY-1002", 1.00, "ALREADY_REFUNDED"),
        ("PAY-1001", 120.01, "EXCEEDS_REMAINING"),
    ],
)
def test_a_refund_that_is_not_due_stops_at_once(payment, amount, code):
    refund(payment, amount).assert_blocked("check_eligibility", error_code=code)


def ticket(**changes: Any) -> InlineRun:
    """Run a customer's request for a refund."""
    given = {
        "ticket_id": "T-1",
        "customer_id": "C-7",
        "payment_id": "PAY-1006",
        "amount": 39.90,
        "reason": "damaged",
        "email": "ada@example.test",
    }
    return run_inline("customer_success/process_refund", {**given, **changes})


@pytest.mark.parametrize(
    ("changes", "path", "approver"),
    [
        ({}, "auto", "policy"),
        ({"amount": 150.00, "customer_id": "VIP-7"}, "auto", "policy"),
        ({"amount": 150.00}, "manager", "manager@example.test"),
        ({"amount": 900.00}, "director", "director@example.test"),
    ],
)
def test_a_ticket_starts_one_refund(changes, path, approver):
    run_inline("payments/process_refund", {"payment_id": "PAY-1001", "amount": 1})  # registers it

    run = ticket(**changes)

    run.assert_complete()
    decided = run.result("decide_approval")
    assert (decided["path"], decided["approver"]) == (path, approver)
    child = Task.objects.get(pk=run.result("close_ticket")["refund_task_uuid"])
    assert child.named_task.task_namespace.name == "payments"
    assert child.parent_correlation_id == Task.objects.get(pk=run.task_uuid).correlation_id
    assert child.context["amount"] == changes.get("amount", 39.90)


@pytest.mark.parametrize(
    ("changes", "step", "code"),
    [
        ({"email": ""}, "validate_request", "MISSING_FIELD"),
        ({"amount": None}, "validate_request", "MISSING_FIELD"),
        ({"reason": "bored"}, "validate_request", "INVALID_REASON"),
        ({"amount": 2000.01}, "validate_request", "INVALID_AMOUNT"),
        ({"amount": 900.00, "reason": "other"}, "decide_approval", "APPROVAL_DENIED"),
    ],
)
def test_a_ticket_that_is_refused_starts_no_refund(changes, step, code):
    run = ticket(**changes)

    run.assert_blocked(step, error_code=code)
    assert run.steps[step].attempts == 1
    assert not Task.objects.filter(named_task__task_namespace__name="payments").exists()


# ------------------------------------------------------------ analytics/daily_report


def test_a_report_is_made_of_three_sources():
    run = run_inline("analytics/daily_report")

    run.assert_complete()
    assert len(run.steps) == 8
    sales = run.result("transform_sales")
    assert (sales["records"], sales["revenue"], sales["units"]) == (30, 1485.00, 90)
    assert sales["by_product"]["beta"] == {"units": 30, "revenue": 900.00}
    assert run.result("transform_inventory") == {"total_stock": 168, "low_items": [4, 8]}
    tiers = run.result("transform_customers")["tiers"]
    assert tiers == {"bronze": 3, "silver": 4, "gold": 3}
    metrics = run.result("aggregate_metrics")
    assert (metrics["revenue_per_customer"], metrics["stock_cover"]) == (148.50, 1.87)
    assert run.result("build_insights") == {
        "codes": ["TOP_PRODUCT:beta", "REORDER:2"],
        "score": 80,
        "rating": "good",
    }


def test_a_source_that_is_busy_is_asked_again():
    run = run_inline("analytics/daily_report", {"fail_source": "inventory", "fail_times": 2})

    run.assert_complete()
    assert run.steps["extract_inventory"].attempts == 3
    assert run.result("build_insights")["score"] == 80


def test_a_source_that_is_gone_lets_the_others_finish():
    run = run_inline("analytics/daily_report", {"gone_source": "customers"})

    run.assert_blocked("extract_customers", error_code="SOURCE_GONE")
    states = [step.state for step in run.steps.values()]
    assert [states.count(state) for state in ("complete", "error", "pending")] == [4, 1, 3]
