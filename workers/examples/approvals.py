"""The example `approvals/purchase_request`: a decision takes one branch, two, or none.

validate_request → route_request → auto_approve, manager_review, finance_review → record_decision,
which waits for those of the three that exist; the template is in
`templates_registry/templates/examples/`.
"""

from typing import Any

from workers.errors import PermanentError
from workers.handlers.decision import Decision
from workers.handlers.functional import decision_handler, depends_on, inputs, step_handler

MANAGER_FROM = 500
FINANCE_FROM = 5_000
FINANCE_LIMIT = 50_000
FROZEN = "frozen"


@step_handler("approvals.validate_request")
@inputs("amount", "requester", "purpose", "cost_center", "withdrawn")
def validate_request(
    amount: Any, requester: Any, purpose: Any, cost_center: Any, withdrawn: Any
) -> dict[str, Any]:
    """Refuse for good what nobody could approve."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0:
        raise _invalid(f"amount must be a number above 0, not {amount!r}.")
    for name, value in (("requester", requester), ("purpose", purpose)):
        if not isinstance(value, str) or not value.strip():
            raise _invalid(f"{name} must not be empty.")
    return {
        "amount": amount,
        "requester": requester.strip(),
        "cost_center": cost_center,
        "withdrawn": bool(withdrawn),
    }


@decision_handler("approvals.route_request")
@depends_on(request="validate_request")
def route_request(request: dict[str, Any]) -> Decision:
    """Choose who has to approve."""
    amount = request["amount"]
    if request["withdrawn"]:
        return Decision.skip("withdrawn")
    if amount < MANAGER_FROM:
        return Decision.route(["auto_approve"], amount=amount)
    if amount < FINANCE_FROM:
        return Decision.route(["manager_review"], amount=amount)
    return Decision.route(["manager_review", "finance_review"], amount=amount)


@step_handler("approvals.auto_approve")
def auto_approve() -> dict[str, Any]:
    """Approve what is small."""
    return {"by": "auto", "approved": True}


@step_handler("approvals.manager_review")
@depends_on(request="validate_request")
def manager_review(request: dict[str, Any]) -> dict[str, Any]:
    """Approve, unless the cost center is frozen."""
    return {"by": "manager", "approved": request["cost_center"] != FROZEN}


@step_handler("approvals.finance_review")
@depends_on(request="validate_request")
def finance_review(request: dict[str, Any]) -> dict[str, Any]:
    """Approve up to the limit."""
    return {"by": "finance", "approved": request["amount"] <= FINANCE_LIMIT}


@step_handler("approvals.record_decision")
@depends_on(auto="auto_approve", manager="manager_review", finance="finance_review")
def record_decision(
    auto: dict[str, Any] | None, manager: dict[str, Any] | None, finance: dict[str, Any] | None
) -> dict[str, Any]:
    """Sum up whoever was asked: one rejection is enough."""
    approvals = [
        {"by": each["by"], "approved": each["approved"]}
        for each in (auto, manager, finance)
        if each
    ]
    is_approved = all(each["approved"] for each in approvals)
    return {"final": "approved" if is_approved else "rejected", "approvals": approvals}


def _invalid(why: str) -> PermanentError:
    return PermanentError(f"Purchase request refused: {why}", error_code="INVALID_REQUEST")
