"""Orders of `order_fulfillment/process_order`, the table of handlers.md 10.1."""

from collections.abc import Mapping
from typing import Any

from tasker_project.demo.case import BLOCKED, Case

STEPS = ("validate_order", "reserve_inventory", "process_payment", "ship_order")


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
        steps=STEPS,
        context=context,
        **expected,
    )


ORDERS = (
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
)
