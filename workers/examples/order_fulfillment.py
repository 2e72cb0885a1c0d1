"""The example `order_fulfillment/process_order`: handlers in class style.

validate_order → reserve_inventory → process_payment → ship_order; the template is in
`templates_registry/templates/examples/`.
"""

from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple

from workers.context import StepContext
from workers.errors import PermanentError, RetryableError
from workers.examples.money import as_number, derived_id, to_cents
from workers.handlers.base import StepHandler
from workers.results import StepHandlerResult


class Product(NamedTuple):
    """One line of the catalogue."""

    name: str
    price: Decimal
    stock: int
    weight_kg: Decimal


class Shipping(NamedTuple):
    """One way to send a parcel."""

    price: Decimal
    free_from_subtotal: Decimal | None
    carrier: str
    delivery_days: int


CATALOGUE = {
    "TEA-100": Product("Loose tea", Decimal("8.50"), 40, Decimal("0.15")),
    "POT-200": Product("Stoneware pot", Decimal("32.00"), 12, Decimal("0.90")),
    "CUP-300": Product("Cup set", Decimal("24.90"), 0, Decimal("1.20")),
    "JAR-400": Product("Storage jar", Decimal("12.40"), 100, Decimal("0.35")),
}
SHIPPING = {
    "standard": Shipping(Decimal("4.90"), Decimal("100.00"), "PostLine", 5),
    "express": Shipping(Decimal("12.50"), None, "FastLine", 2),
}
ORDER_LIMIT = Decimal("5000.00")
TAX_RATE = Decimal("0.20")
FREE_WEIGHT_KG = Decimal(2)
PRICE_PER_EXTRA_KG = Decimal("1.50")
FEE_RATE = Decimal("0.029")
FEE_FIXED = Decimal("0.30")
MAX_QUANTITY = 99
FLAKY_ATTEMPTS = 2


class ValidateOrder(StepHandler):
    """Checks an order and works out what it costs."""

    handler_name = "order_fulfillment.validate_order"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Refuse a wrong order for good, or return its lines and amounts."""
        require_customer(context.get_input("customer"))
        quantities = merge_items(context.get_input("items"))
        lines = [order_line(sku, quantity) for sku, quantity in quantities.items()]
        subtotal = sum((CATALOGUE[sku].price * n for sku, n in quantities.items()), Decimal(0))
        if subtotal > ORDER_LIMIT:
            raise PermanentError(
                f"The order comes to {subtotal}; the limit is {ORDER_LIMIT}.",
                error_code="ORDER_LIMIT",
            )
        method = shipping_method(context.get_input("shipping"))
        weight_kg = sum((CATALOGUE[sku].weight_kg * n for sku, n in quantities.items()), Decimal(0))
        shipping_cost = price_shipping(method, subtotal=subtotal, weight_kg=weight_kg)
        tax = to_cents((subtotal + shipping_cost) * TAX_RATE)
        return self.success(
            {
                "lines": lines,
                "subtotal": as_number(subtotal),
                "weight_kg": as_number(weight_kg),
                "shipping_cost": as_number(shipping_cost),
                "tax": as_number(tax),
                "total": as_number(subtotal + shipping_cost + tax),
            }
        )


class ReserveInventory(StepHandler):
    """Reserves the goods of an order."""

    handler_name = "order_fulfillment.reserve_inventory"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Refuse what is out of stock, ask to wait for what is short, or reserve."""
        lines = context.get_dependency_field("validate_order", "lines")
        for line in lines:
            require_stock(line["sku"], line["quantity"])
        return self.success(
            {"reservation_id": derived_id("RSV", context.task_uuid), "lines": lines}
        )


class ProcessPayment(StepHandler):
    """Charges the customer."""

    handler_name = "order_fulfillment.process_payment"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Charge the order's total by the token's rules."""
        payment = context.get_input_or("payment", {})
        require_paid(payment, attempt=context.attempt)
        total = Decimal(str(context.get_dependency_field("validate_order", "total")))
        return self.success(
            {
                "payment_id": derived_id("PAY", context.task_uuid),
                "amount": as_number(total),
                "fee": as_number(total * FEE_RATE + FEE_FIXED),
                "status": "captured",
            }
        )


class ShipOrder(StepHandler):
    """Hands the parcel to the carrier."""

    handler_name = "order_fulfillment.ship_order"

    def call(self, context: StepContext) -> StepHandlerResult:
        """Return the shipment."""
        shipping = SHIPPING[shipping_method(context.get_input("shipping"))]
        return self.success(
            {
                "shipment_id": derived_id("SHP", context.task_uuid),
                "carrier": shipping.carrier,
                "delivery_days": shipping.delivery_days,
                "shipping_cost": context.get_dependency_field("validate_order", "shipping_cost"),
            }
        )


def require_customer(customer: Any) -> None:
    """Refuse an order without a customer who can be written to."""
    given = customer if isinstance(customer, dict) else {}
    if not given.get("id") or "@" not in str(given.get("email") or ""):
        raise PermanentError(
            "An order needs a customer with id and email.", error_code="MISSING_CUSTOMER"
        )


def merge_items(items: Any) -> dict[str, int]:
    """Return the quantity of each SKU, in the order of first mention."""
    if not isinstance(items, list) or not items:
        raise PermanentError("An order needs at least one item.", error_code="EMPTY_ORDER")
    quantities: dict[str, int] = {}
    for item in items:
        line = item if isinstance(item, dict) else {}
        sku, quantity = line.get("sku"), line.get("quantity")
        if not isinstance(sku, str) or sku not in CATALOGUE:
            raise PermanentError(f"There is no product {sku!r}.", error_code="UNKNOWN_SKU")
        if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
            raise PermanentError(
                f"Quantity of {sku} must be a whole number from 1 to {MAX_QUANTITY}, "
                f"not {quantity!r}.",
                error_code="BAD_QUANTITY",
            )
        quantities[sku] = quantities.get(sku, 0) + quantity
    return quantities


def shipping_method(shipping: Any) -> str:
    """Return the method of an order's shipping."""
    method = shipping.get("method") if isinstance(shipping, dict) else None
    if not isinstance(method, str) or method not in SHIPPING:
        raise PermanentError(
            f"There is no shipping method {method!r}.", error_code="UNKNOWN_SHIPPING"
        )
    return method


def order_line(sku: str, quantity: int) -> dict[str, Any]:
    """Return one line of a validated order."""
    product = CATALOGUE[sku]
    return {
        "sku": sku,
        "name": product.name,
        "quantity": quantity,
        "unit_price": as_number(product.price),
        "line_total": as_number(product.price * quantity),
    }


def price_shipping(method: str, *, subtotal: Decimal, weight_kg: Decimal) -> Decimal:
    """Return what sending costs: the method's price, and so much per started kg above 2 kg."""
    shipping = SHIPPING[method]
    is_free = shipping.free_from_subtotal is not None and subtotal >= shipping.free_from_subtotal
    extra_kg = ceil(max(weight_kg - FREE_WEIGHT_KG, Decimal(0)))
    return (Decimal(0) if is_free else shipping.price) + PRICE_PER_EXTRA_KG * extra_kg


def require_stock(sku: str, quantity: int) -> None:
    """Refuse a product that is sold out; ask to wait when there are too few."""
    stock = CATALOGUE[sku].stock
    if stock == 0:
        raise PermanentError(f"{sku} is sold out.", error_code="OUT_OF_STOCK")
    if stock < quantity:
        raise RetryableError(
            f"{quantity} of {sku} wanted, {stock} in stock.",
            error_code="INSUFFICIENT_STOCK",
            retry_after=1,
        )


def require_paid(payment: Any, *, attempt: int) -> None:
    """Behave as the payment gateway does for a method and a token."""
    given = payment if isinstance(payment, dict) else {}
    method, token = given.get("method"), given.get("token")
    if method not in ("card", "transfer"):
        raise PermanentError(
            f"Payment method {method!r} is not supported.", error_code="UNSUPPORTED_METHOD"
        )
    if token == "tok_flaky" and attempt <= FLAKY_ATTEMPTS:  # noqa: S105 - a test token
        raise RetryableError("The payment gateway is busy.", error_code="GATEWAY_BUSY")
    if token not in ("tok_ok", "tok_flaky"):
        raise PermanentError("The payment was declined.", error_code="PAYMENT_DECLINED")
