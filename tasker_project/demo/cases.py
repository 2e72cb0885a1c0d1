"""What the demo asks for, and what must come of it: the tables of handlers.md 10.1 and 10.4.

A case says what is special about it; every step that it does not name must be complete after one
attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BLOCKED = "blocked_by_failures"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One task to create and everything that is expected of it."""

    title: str
    namespace: str
    name: str
    steps: tuple[str, ...]
    context: Mapping[str, Any]
    state: str = "complete"
    attempts: Mapping[str, int] = field(default_factory=dict)  # of steps that take more than one
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # step: path: value
    fails_at: str = ""
    error_code: str = ""

    @property
    def workflow(self) -> str:
        """The template, as a person names it."""
        return f"{self.namespace}/{self.name}"


ORDER_STEPS = ("validate_order", "reserve_inventory", "process_payment", "ship_order")
REGISTRATION_STEPS = (
    "create_account",
    "setup_billing",
    "init_preferences",
    "send_welcome",
    "activate_account",
)


def _order(
    title: str,
    items: Mapping[str, int],
    *,
    shipping: str = "standard",
    token: str = "tok_ok",  # noqa: S107 - of the example's gateway
    **expected: Any,
) -> Case:
    """Return an order of `order_fulfillment/process_order`."""
    context = {
        "customer": {"id": "C-1", "email": "ada@example.test"},
        "items": [{"sku": sku, "quantity": quantity} for sku, quantity in items.items()],
        "payment": {"method": "card", "token": token},
        "shipping": {"method": shipping},
    }
    return Case(
        title=title,
        namespace="order_fulfillment",
        name="process_order",
        steps=ORDER_STEPS,
        context=context,
        **expected,
    )


def _registration(title: str, context: Mapping[str, Any], **expected: Any) -> Case:
    """Return a registration of `accounts/register_user`."""
    return Case(
        title=title,
        namespace="accounts",
        name="register_user",
        steps=REGISTRATION_STEPS,
        context=context,
        **expected,
    )


CASES = (
    _order(
        "tea and pots",
        {"TEA-100": 3, "POT-200": 2},
        results={
            "validate_order": {
                "subtotal": 89.5,
                "weight_kg": 2.25,
                "shipping_cost": 6.4,
                "tax": 19.18,
                "total": 115.08,
            },
            "process_payment": {"amount": 115.08, "fee": 3.64, "status": "captured"},
            "ship_order": {"carrier": "PostLine", "delivery_days": 5, "shipping_cost": 6.4},
        },
    ),
    _order(
        "four pots, free shipping",
        {"POT-200": 4},
        results={
            "validate_order": {
                "subtotal": 128.0,
                "shipping_cost": 3.0,
                "tax": 26.2,
                "total": 157.2,
            },
            "process_payment": {"amount": 157.2, "fee": 4.86},
        },
    ),
    _order(
        "a jar, express",
        {"JAR-400": 1},
        shipping="express",
        results={
            "validate_order": {"shipping_cost": 12.5, "tax": 4.98, "total": 29.88},
            "process_payment": {"amount": 29.88, "fee": 1.17},
            "ship_order": {"carrier": "FastLine", "delivery_days": 2},
        },
    ),
    _order(
        "flaky payment",
        {"TEA-100": 1},
        token="tok_flaky",  # noqa: S106
        attempts={"process_payment": 3},
        results={"process_payment": {"status": "captured"}},
    ),
    _order(
        "declined payment",
        {"TEA-100": 1},
        token="tok_declined",  # noqa: S106
        state=BLOCKED,
        fails_at="process_payment",
        error_code="PAYMENT_DECLINED",
    ),
    _order(
        "out of stock",
        {"CUP-300": 1},
        state=BLOCKED,
        fails_at="reserve_inventory",
        error_code="OUT_OF_STOCK",
    ),
    _registration(
        "Ada registers",
        {
            "email": "ada@example.test",
            "name": "Ada",
            "plan": "team",
            "preferences": {"theme": "dark"},
        },
        results={
            "setup_billing": {"price": 19.0, "trial_days": 14},
            "init_preferences": {"customised": 1, "preferences.theme": "dark"},
            "activate_account": {"status": "active", "messages_sent": 3},
        },
    ),
    _registration(
        "a reserved name",
        {"email": "admin@example.test", "name": "Admin", "plan": "free"},
        state=BLOCKED,
        fails_at="create_account",
        error_code="RESERVED_NAME",
    ),
)


def choose(workflow: str) -> list[Case]:
    """Return the cases of one workflow, or `all`; an unknown one raises `ValueError`."""
    chosen = [case for case in CASES if workflow in ("all", case.workflow)]
    if not chosen:
        known = ", ".join(dict.fromkeys(case.workflow for case in CASES))
        raise ValueError(f"There is no example workflow '{workflow}'; there are {known}")
    return chosen
