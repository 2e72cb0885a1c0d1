"""The example `customer_success/process_refund`: a ticket that starts a task of another namespace.

validate_request → check_policy → decide_approval → start_refund → close_ticket; the template is in
`templates_registry/templates/examples/`. `start_refund` is atomic: the child task exists exactly
when the step's result does, however often its worker dies, and its idempotency key makes it one.
"""

from decimal import Decimal
from typing import Any

from orchestration.client import create_task
from workers.context import StepContext
from workers.errors import PermanentError
from workers.examples.money import as_number
from workers.examples.payments import require_amount
from workers.handlers.functional import depends_on, inputs, step_handler

FIELDS = ("ticket_id", "customer_id", "payment_id", "email")
REASONS = ("damaged", "wrong_item", "late", "duplicate", "other")
LARGEST = Decimal("2000.00")
AUTO_UP_TO = Decimal("40.00")
VIP_AUTO_UP_TO = Decimal("200.00")
VIP_PREFIX = "VIP-"
MANAGER_UP_TO = Decimal("800.00")
APPROVERS = {
    "auto": "policy",
    "manager": "manager@example.test",
    "director": "director@example.test",
}


@step_handler("customer_success.validate_request")
@inputs("amount", "reason")
def validate_request(amount: Any, reason: Any, context: StepContext) -> dict[str, Any]:
    """Refuse an incomplete or impossible request for good."""
    given = {name: context.get_input(name) for name in FIELDS}
    missing = [name for name, value in given.items() if not isinstance(value, str) or not value]
    if missing or amount is None or reason is None:
        absent = [*missing, *(n for n, v in (("amount", amount), ("reason", reason)) if v is None)]
        raise PermanentError(f"The request lacks {', '.join(absent)}.", error_code="MISSING_FIELD")
    if reason not in REASONS:
        raise PermanentError(
            f"There is no reason {reason!r}; there are {', '.join(REASONS)}.",
            error_code="INVALID_REASON",
        )
    return {**given, "amount": as_number(require_amount(amount, most=LARGEST)), "reason": reason}


@step_handler("customer_success.check_policy")
@depends_on(request="validate_request")
def check_policy(request: dict[str, Any]) -> dict[str, Any]:
    """Say who has to approve."""
    amount = Decimal(str(request["amount"]))
    is_vip = request["customer_id"].startswith(VIP_PREFIX)
    if amount <= AUTO_UP_TO or (is_vip and amount <= VIP_AUTO_UP_TO):
        return {"path": "auto"}
    return {"path": "manager" if amount <= MANAGER_UP_TO else "director"}


@step_handler("customer_success.decide_approval")
@depends_on(request="validate_request", policy="check_policy")
def decide_approval(request: dict[str, Any], policy: dict[str, Any]) -> dict[str, Any]:
    """Approve; only the director refuses, and only for want of a reason."""
    path = policy["path"]
    if path == "director" and request["reason"] == "other":
        raise PermanentError(
            f"{APPROVERS[path]} wants a reason for {request['amount']}.",
            error_code="APPROVAL_DENIED",
        )
    return {"approved": True, "path": path, "approver": APPROVERS[path]}


@step_handler("customer_success.start_refund", atomic=True)
@depends_on(request="validate_request")
def start_refund(request: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """Create the task that pays; it goes on by itself."""
    created = create_task(
        "process_refund",
        namespace="payments",
        context={name: request[name] for name in ("payment_id", "amount", "email")},
        idempotency_key=context.idempotency_key,
        parent_correlation_id=context.correlation_id,
        initiator="customer_success",
        reason=f"Ticket {request['ticket_id']}: {request['reason']}",
    )
    return {"refund_task_uuid": created.task_uuid}


@step_handler("customer_success.close_ticket")
@depends_on(request="validate_request", refund="start_refund")
def close_ticket(request: dict[str, Any], refund: dict[str, Any]) -> dict[str, Any]:
    """Close the ticket."""
    return {
        "ticket_id": request["ticket_id"],
        "status": "resolved",
        "refund_task_uuid": refund["refund_task_uuid"],
    }
