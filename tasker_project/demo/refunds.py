"""Refunds of `payments/process_refund`, the table of handlers.md 10.2."""

from typing import Any

from tasker_project.demo.case import BLOCKED, Case

STEPS = ("check_eligibility", "refund_at_gateway", "post_ledger", "notify_customer")


def _refund(title: str, payment_id: str, amount: float, **expected: Any) -> Case:
    """Return a refund of one of the example's payments."""
    return Case(
        title=title,
        namespace="payments",
        name="process_refund",
        steps=STEPS,
        context={"payment_id": payment_id, "amount": amount, "email": "ada@example.test"},
        **expected,
    )


def _refused(title: str, payment_id: str, amount: float, error_code: str) -> Case:
    return _refund(
        title,
        payment_id,
        amount,
        state=BLOCKED,
        fails_at="check_eligibility",
        error_code=error_code,
    )


REFUNDS = (
    _refund(
        "part of a payment",
        "PAY-1001",
        50.0,
        results={
            "check_eligibility": {"kind": "partial", "remaining_after": 70.0},
            "refund_at_gateway": {"settlement_days": 5},
        },
    ),
    _refund(
        "the rest of a payment",
        "PAY-1004",
        350.0,
        results={
            "check_eligibility": {"kind": "closing", "remaining_after": 0.0},
            "refund_at_gateway": {"settlement_days": 2},
        },
    ),
    _refund(
        "a gateway that is down",
        "PAY-1005",
        45.0,
        attempts={"refund_at_gateway": 2},
        results={"check_eligibility": {"kind": "full"}},
    ),
    _refused("refunded already", "PAY-1002", 1.0, "ALREADY_REFUNDED"),
    _refused("paid too long ago", "PAY-1003", 1.0, "WINDOW_EXPIRED"),
    _refused("more than was paid", "PAY-1001", 120.01, "EXCEEDS_REMAINING"),
)
