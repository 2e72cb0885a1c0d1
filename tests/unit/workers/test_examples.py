"""The two example workflows at handler level: every row of handlers.md 10.1 and 10.4."""

import asyncio
import inspect
from typing import Any
from uuid import UUID

import pytest

from workers import StepContext
from workers.errors import PermanentError, RetryableError
from workers.examples import accounts, order_fulfillment
from workers.results import failure_from_exception, to_result

TASK = UUID("01890000-0000-7000-8000-0000cafe1234")

ORDER_STEPS = {
    "validate_order": order_fulfillment.ValidateOrder,
    "reserve_inventory": order_fulfillment.ReserveInventory,
    "process_payment": order_fulfillment.ProcessPayment,
    "ship_order": order_fulfillment.ShipOrder,
}
ACCOUNT_STEPS = {
    name: getattr(accounts, name)._handler_class
    for name in (
        "create_account",
        "setup_billing",
        "init_preferences",
        "send_welcome",
        "activate_account",
    )
}


def run_step(handler_class, results, data, *, attempt=1) -> Any:
    """Run one handler as a worker would, with the results of the steps before."""
    context = StepContext(
        task_uuid=TASK,
        input_data=data,
        retry_count=attempt - 1,
        dependency_results={name: {"result": found.result} for name, found in results.items()},
    )
    try:
        value: Any = handler_class().call(context)
        return to_result(asyncio.run(value) if inspect.iscoroutine(value) else value)
    except Exception as error:  # noqa: BLE001 - as the worker does
        return failure_from_exception(error, is_functional=False)


def run_workflow(steps, data, *, until=None) -> dict[str, Any]:
    """Run the steps in order until one fails."""
    results: dict[str, Any] = {}
    for name, handler_class in steps.items():
        results[name] = run_step(handler_class, results, data)
        if not results[name].success or name == until:
            break
    return results


def order(*items, shipping="standard", token="tok_ok", method="card", **rest):  # noqa: S107
    return {
        "customer": {"id": "c1", "email": "ada@example.test"},
        "items": [{"sku": sku, "quantity": quantity} for sku, quantity in items],
        "payment": {"method": method, "token": token},
        "shipping": {"method": shipping},
        **rest,
    }


@pytest.mark.parametrize(
    ("data", "amounts", "fee"),
    [
        (
            order(("TEA-100", 3), ("POT-200", 2)),
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
            order(("POT-200", 4)),
            {
                "subtotal": 128.00,
                "weight_kg": 3.60,
                "shipping_cost": 3.00,
                "tax": 26.20,
                "total": 157.20,
            },
            4.86,
        ),
        (
            order(("JAR-400", 1), shipping="express"),
            {
                "subtotal": 12.40,
                "weight_kg": 0.35,
                "shipping_cost": 12.50,
                "tax": 4.98,
                "total": 29.88,
            },
            1.17,
        ),
    ],
)
def test_an_order_is_priced_as_documented(data, amounts, fee):
    results = run_workflow(ORDER_STEPS, data)

    validated = results["validate_order"].result
    assert {key: validated[key] for key in amounts} == amounts
    assert results["process_payment"].result["fee"] == fee
    assert results["process_payment"].result["amount"] == amounts["total"]
    assert len(results) == 4


def test_ids_derive_from_the_end_of_the_task_uuid():
    results = run_workflow(ORDER_STEPS, order(("TEA-100", 1)))

    assert results["reserve_inventory"].result["reservation_id"] == "RSV-CAFE1234"
    assert results["process_payment"].result["payment_id"] == "PAY-CAFE1234"
    assert results["process_payment"].result["status"] == "captured"
    assert results["ship_order"].result["shipment_id"] == "SHP-CAFE1234"


@pytest.mark.parametrize(
    ("shipping", "carrier", "days"), [("standard", "PostLine", 5), ("express", "FastLine", 2)]
)
def test_the_carrier_follows_the_shipping_method(shipping, carrier, days):
    shipped = run_workflow(ORDER_STEPS, order(("JAR-400", 1), shipping=shipping))["ship_order"]

    assert (shipped.result["carrier"], shipped.result["delivery_days"]) == (carrier, days)
    assert shipped.result["shipping_cost"] == (4.90 if shipping == "standard" else 12.50)


def test_equal_skus_are_merged():
    found = run_workflow(ORDER_STEPS, order(("TEA-100", 1), ("JAR-400", 1), ("TEA-100", 2)))

    lines = found["validate_order"].result["lines"]
    assert [(line["sku"], line["quantity"]) for line in lines] == [("TEA-100", 3), ("JAR-400", 1)]
    assert found["reserve_inventory"].result["lines"] == lines


TEA = [{"sku": "TEA-100", "quantity": 1}]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (order(("TEA-100", 1), customer={}), "MISSING_CUSTOMER"),
        (order(("TEA-100", 1), customer=None), "MISSING_CUSTOMER"),
        (order(("TEA-100", 1), customer={"id": "c"}), "MISSING_CUSTOMER"),
        (order(("TEA-100", 1), customer={"email": "a@b"}), "MISSING_CUSTOMER"),
        (order(("TEA-100", 1), customer={"id": "c", "email": "ab"}), "MISSING_CUSTOMER"),
        (order(), "EMPTY_ORDER"),
        (order(items=None), "EMPTY_ORDER"),
        (order(items="TEA-100"), "EMPTY_ORDER"),
        (order(("NIX-1", 1)), "UNKNOWN_SKU"),
        (order(items=["TEA-100"]), "UNKNOWN_SKU"),
        (order(items=[{"sku": ["x"], "quantity": 1}]), "UNKNOWN_SKU"),
        *[(order(("TEA-100", n)), "BAD_QUANTITY") for n in (0, 100, -1, 1.5, "1", True, None)],
        (order(("POT-200", 99), ("POT-200", 99)), "ORDER_LIMIT"),
        (order(("TEA-100", 1), shipping="drone"), "UNKNOWN_SHIPPING"),
        ({**order(("TEA-100", 1)), "shipping": None}, "UNKNOWN_SHIPPING"),
    ],
)
def test_a_wrong_order_is_refused_for_good(data, code):
    results = run_workflow(ORDER_STEPS, data)

    assert list(results) == ["validate_order"]
    failure = results["validate_order"]
    assert (failure.error_code, failure.error_type, failure.retryable) == (
        code,
        "permanent_error",
        False,
    )


def test_the_order_limit_itself_is_allowed():
    items = [("TEA-100", 16), ("POT-200", 99), ("POT-200", 53)]

    found = run_workflow(ORDER_STEPS, order(*items), until="validate_order")["validate_order"]

    assert found.result["subtotal"] == 5000.00


def test_a_sold_out_product_is_refused_for_good():
    failure = run_workflow(ORDER_STEPS, order(("CUP-300", 1)))["reserve_inventory"]

    assert (failure.error_code, failure.retryable) == ("OUT_OF_STOCK", False)


def test_a_short_product_is_waited_for():
    failure = run_workflow(ORDER_STEPS, order(("POT-200", 13)))["reserve_inventory"]

    assert (failure.error_code, failure.retryable) == ("INSUFFICIENT_STOCK", True)
    assert failure.metadata["retry_after"] == 1


@pytest.mark.parametrize(
    ("method", "token", "code"),
    [
        ("cash", "tok_ok", "UNSUPPORTED_METHOD"),
        (None, "tok_ok", "UNSUPPORTED_METHOD"),
        ("card", "tok_declined", "PAYMENT_DECLINED"),
        ("transfer", None, "PAYMENT_DECLINED"),
    ],
)
def test_a_refused_payment_is_permanent(method, token, code):
    failure = run_workflow(ORDER_STEPS, order(("TEA-100", 1), method=method, token=token))[
        "process_payment"
    ]

    assert (failure.error_code, failure.retryable) == (code, False)


def test_a_flaky_payment_goes_through_at_the_third_attempt():
    data = order(("TEA-100", 1), token="tok_flaky", method="transfer")  # noqa: S106
    before = run_workflow(ORDER_STEPS, data, until="reserve_inventory")

    tries = [
        run_step(order_fulfillment.ProcessPayment, before, data, attempt=attempt)
        for attempt in (1, 2, 3)
    ]

    assert [each.success for each in tries] == [False, False, True]
    assert [each.error_code for each in tries] == ["GATEWAY_BUSY", "GATEWAY_BUSY", None]
    assert tries[0].retryable


def test_shipping_is_free_from_one_hundred():
    found = run_workflow(ORDER_STEPS, order(("JAR-400", 5), ("TEA-100", 5)))["validate_order"]

    assert (found.result["subtotal"], found.result["shipping_cost"]) == (104.50, 1.50)


# --- accounts/register_user


def registration(**changes):
    return {"email": "ada@example.test", "name": "Ada", "plan": "team", **changes}


def test_a_registration_runs_as_documented():
    results = run_workflow(ACCOUNT_STEPS, registration(preferences={"theme": "dark"}))

    assert len(results) == 5
    billing = results["setup_billing"].result
    assert (billing["price"], billing["trial_days"], billing["status"]) == (19.00, 14, "trial")
    preferences = results["init_preferences"].result
    assert preferences["customised"] == 1
    assert preferences["preferences"] == {
        "theme": "dark",
        "language": "en",
        "timezone": "UTC",
        "digest": "weekly",
        "marketing": True,
        "beta": False,
    }
    activated = results["activate_account"].result
    assert activated["status"] == "active"
    assert activated["services"] == ["accounts", "billing", "preferences", "mail"]
    assert activated["messages_sent"] == 3


@pytest.mark.parametrize(
    ("plan", "price", "trial", "status", "messages", "marketing"),
    [
        ("free", 0.00, 0, "not_required", ["welcome", "verify"], True),
        ("team", 19.00, 14, "trial", ["welcome", "verify", "trial_started"], True),
        (
            "business",
            49.00,
            30,
            "trial",
            ["welcome", "verify", "trial_started", "manager_intro"],
            False,
        ),
    ],
)
def test_plans_are_as_documented(plan, price, trial, status, messages, marketing):
    results = run_workflow(ACCOUNT_STEPS, registration(plan=plan))

    billing = results["setup_billing"].result
    assert (billing["price"], billing["trial_days"], billing["status"]) == (price, trial, status)
    assert results["send_welcome"].result["messages"] == messages
    preferences = results["init_preferences"].result
    assert preferences["preferences"]["marketing"] is marketing
    assert preferences["customised"] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        *[
            ({"email": email}, "INVALID_EMAIL")
            for email in (None, "", "ada", "@example.test", "ada@", "ada@localhost", "a@b@c.d", 5)
        ],
        ({"name": "A"}, "NAME_TOO_SHORT"),
        ({"name": None}, "NAME_TOO_SHORT"),
        *[
            ({"email": f"{name}@example.test"}, "RESERVED_NAME")
            for name in ("admin", "root", "postmaster", "Admin")
        ],
        ({"plan": "gold"}, "UNKNOWN_PLAN"),
        ({"plan": None}, "UNKNOWN_PLAN"),
        ({"email": "ada@trash.example"}, "DISPOSABLE_DOMAIN"),
    ],
)
def test_a_wrong_registration_is_refused_for_good(changes, code):
    results = run_workflow(ACCOUNT_STEPS, registration(**changes))

    assert list(results) == ["create_account"]
    assert (results["create_account"].error_code, results["create_account"].retryable) == (
        code,
        False,
    )


def test_failures_are_of_the_two_documented_classes():
    with pytest.raises(PermanentError):
        order_fulfillment.require_stock("CUP-300", 1)
    with pytest.raises(RetryableError):
        order_fulfillment.require_stock("POT-200", 13)


def test_preferences_are_initialised_asynchronously():
    assert inspect.iscoroutinefunction(accounts.init_preferences)
