"""The example `payments/process_refund`: a refund in four steps, decorated functions.

check_eligibility → refund_at_gateway → post_ledger → notify_customer; the template is in
`templates_registry/templates/examples/`. `customer_success/process_refund` starts it as its child.
"""

from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from workers.context import StepContext
from workers.errors import PermanentError, RetryableError
from workers.examples.money import as_number, derived_id, to_cents
from workers.handlers.functional import depends_on, inputs, step_handler


class Payment(NamedTuple):
    """A captured payment."""

    method: str
    captured: Decimal
    refunded: Decimal
    age_days: int


PAYMENTS = {
    "PAY-1001": Payment("card", Decimal("120.00"), Decimal("0.00"), 20),
    "PAY-1002": Payment("card", Decimal("80.00"), Decimal("80.00"), 15),
    "PAY-1003": Payment("card", Decimal("60.00"), Decimal("0.00"), 200),
    "PAY-1004": Payment("transfer", Decimal("500.00"), Decimal("150.00"), 60),
    "PAY-1005": Payment("card", Decimal("45.00"), Decimal("0.00"), 3),
    "PAY-1006": Payment("card", Decimal("1500.00"), Decimal("0.00"), 8),
}
FLAKY = "PAY-1005"
WINDOW_DAYS = 120
SETTLEMENT_DAYS = {"card": 5, "transfer": 2}


@step_handler("payments.check_eligibility")
@inputs("payment_id", "amount")
def check_eligibility(payment_id: Any, amount: Any) -> dict[str, Any]:
    """Refuse for good what cannot be refunded; say which kind of refund it is."""
    payment = PAYMENTS.get(payment_id) if isinstance(payment_id, str) else None
    if payment is None:
        raise PermanentError(f"There is no payment {payment_id!r}.", error_code="PAYMENT_NOT_FOUND")
    wanted = require_amount(amount)
    if payment.age_days > WINDOW_DAYS:
        raise PermanentError(
            f"{payment_id} is {payment.age_days} days old; refunds end after {WINDOW_DAYS}.",
            error_code="WINDOW_EXPIRED",
        )
    remaining = payment.captured - payment.refunded
    if remaining <= 0:
        raise PermanentError(f"{payment_id} is refunded already.", error_code="ALREADY_REFUNDED")
    if wanted > remaining:
        raise PermanentError(
            f"{wanted} is more than the {remaining} that remain of {payment_id}.",
            error_code="EXCEEDS_REMAINING",
        )
    return {
        "payment_id": payment_id,
        "amount": as_number(wanted),
        "kind": kind_of_refund(payment, wanted),
        "method": payment.method,
        "remaining_after": as_number(remaining - wanted),
    }


@step_handler("payments.refund_at_gateway")
@depends_on(refund="check_eligibility")
def refund_at_gateway(refund: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """Give the money back; the gateway knows this refund by its idempotency key."""
    if refund["payment_id"] == FLAKY and context.attempt == 1:
        raise RetryableError(
            "The gateway does not answer.", error_code="GATEWAY_DOWN", retry_after=1
        )
    return {
        "refund_id": derived_id("REF", context.task_uuid),
        "idempotency_key": context.idempotency_key,
        "amount": refund["amount"],
        "settlement_days": SETTLEMENT_DAYS[refund["method"]],
    }


@step_handler("payments.post_ledger")
@depends_on(refund="check_eligibility")
def post_ledger(refund: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """Book the refund on both sides."""
    amount = refund["amount"]
    return {
        "posting_id": derived_id("LED", context.task_uuid),
        "entries": [
            {"side": "debit", "account": "refunds", "amount": amount},
            {"side": "credit", "account": "receivables", "amount": amount},
        ],
        "remaining_after": refund["remaining_after"],
    }


@step_handler("payments.notify_customer")
@depends_on(gateway="refund_at_gateway")
@inputs("email")
def notify_customer(gateway: dict[str, Any], email: Any) -> dict[str, Any]:
    """Tell the customer, where an address is known."""
    if not email:
        return {"sent": False, "channel": "none"}
    return {
        "sent": True,
        "channel": "email",
        "recipient": email,
        "refund_id": gateway["refund_id"],
    }


def require_amount(amount: Any, *, most: Decimal | None = None) -> Decimal:
    """Return an amount of money above 0 and up to `most`, or refuse it for good."""
    try:
        wanted = Decimal("NaN") if isinstance(amount, bool) else Decimal(str(amount))
    except InvalidOperation:
        wanted = Decimal("NaN")
    if not wanted.is_finite() or wanted <= 0 or (most is not None and wanted > most):
        limit = "" if most is None else f" and at most {most}"
        raise PermanentError(
            f"{amount!r} is no amount above 0{limit}.", error_code="INVALID_AMOUNT"
        )
    return to_cents(wanted)


def kind_of_refund(payment: Payment, amount: Decimal) -> str:
    """Return `full`, `closing` (the last part of several) or `partial`."""
    if not payment.refunded and amount == payment.captured:
        return "full"
    return "closing" if amount == payment.captured - payment.refunded else "partial"
