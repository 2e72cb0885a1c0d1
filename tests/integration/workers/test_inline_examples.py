"""The shipped examples as whole workflows, against the tables of handlers.md chapter 10."""

from typing import Any

import pytest

from workers.testing import InlineRun, run_inline

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@example.test", "name": "Ada", "plan": "team"}


def order(*items: tuple[str, int], shipping: str = "standard", token: str = "tok_ok") -> InlineRun:  # noqa: S107
    """Run an order."""
    return run_inline(
        "order_fulfillment/process_order",
        {
            "customer": {"id": "c1", "email": "ada@example.test"},
            "items": [{"sku": sku, "quantity": quantity} for sku, quantity in items],
            "payment": {"method": "card", "token": token},
            "shipping": {"method": shipping},
        },
    )


def register(**changes: Any) -> InlineRun:
    """Run a registration."""
    return run_inline("accounts/register_user", {**ADA, **changes})


# ------------------------------------------------------------ order_fulfillment/process_order


@pytest.mark.parametrize(
    ("items", "shipping", "amounts", "fee"),
    [
        (
            [("TEA-100", 3), ("POT-200", 2)],
            "standard",
            {
                "subtotal": 89.50,
                "weight_kg": 2.25,
                "shipping_cost": 6.40,
                "tax": 19.18,
                "total": 115.08,
            },
            3.64,
        ),
        (
            [("POT-200", 4)],
            "standard",
            {"subtotal": 128.00, "shipping_cost": 3.00, "tax": 26.20, "total": 157.20},
            4.86,
        ),
        (
            [("JAR-400", 1)],
            "express",
            {"shipping_cost": 12.50, "tax": 4.98, "total": 29.88},
            1.17,
        ),
    ],
)
def test_an_order_is_paid_and_shipped(items, shipping, amounts, fee):
    run = order(*items, shipping=shipping)

    run.assert_complete()
    assert list(run.steps) == [
        "validate_order",
        "reserve_inventory",
        "process_payment",
        "ship_order",
    ]
    validated = run.result("validate_order")
    assert {key: validated[key] for key in amounts} == amounts
    assert run.result("process_payment")["fee"] == fee
    assert run.result("process_payment")["amount"] == amounts["total"]
    carrier = {"standard": ("PostLine", 5), "express": ("FastLine", 2)}[shipping]
    shipped = run.result("ship_order")
    assert (shipped["carrier"], shipped["delivery_days"]) == carrier
    (event,) = run.events
    assert (event.event_name, event.payload["fee"]) == ("payment.captured", fee)


def test_a_busy_gateway_is_asked_three_times():
    run = order(("TEA-100", 1), token="tok_flaky")  # noqa: S106

    run.assert_complete()
    assert run.steps["process_payment"].attempts == 3
    assert run.virtual_seconds == pytest.approx(0.6, abs=0.2)  # 200 ms, then 400 ms


def test_a_declined_payment_stops_the_order():
    run = order(("TEA-100", 1), token="tok_declined")  # noqa: S106

    run.assert_blocked("process_payment", error_code="PAYMENT_DECLINED")
    assert run.steps["process_payment"].attempts == 1
    assert run.steps["ship_order"].state == "pending"
    assert [event.event_name for event in run.events] == ["payment.refused"]


def test_goods_that_are_out_of_stock_stop_the_order():
    run = order(("CUP-300", 1))

    run.assert_blocked("reserve_inventory", "permanent_error", error_code="OUT_OF_STOCK")
    assert run.steps["reserve_inventory"].attempts == 1


# ------------------------------------------------------------ accounts/register_user


def test_a_user_is_registered():
    run = register(preferences={"theme": "dark"})

    run.assert_complete()
    assert len(run.steps) == 5
    billing, preferences = run.result("setup_billing"), run.result("init_preferences")
    assert (billing["price"], billing["trial_days"]) == (19.00, 14)
    assert (preferences["customised"], preferences["preferences"]["theme"]) == (1, "dark")
    assert run.result("activate_account")["messages_sent"] == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "nobody"}, "INVALID_EMAIL"),
        ({"name": "A"}, "NAME_TOO_SHORT"),
        ({"email": "admin@example.test"}, "RESERVED_NAME"),
        ({"plan": "gold"}, "UNKNOWN_PLAN"),
        ({"email": "a@trash.example"}, "DISPOSABLE_DOMAIN"),
    ],
)
def test_a_registration_that_is_refused_stops_at_once(change, code):
    run = register(**change)

    run.assert_blocked("create_account", error_code=code)
    assert run.steps["create_account"].attempts == 1
    assert [step.state for step in run.steps.values()].count("pending") == 4
