"""A chain of functions: injected inputs, a typed model, results of earlier steps."""

from pydantic import BaseModel
from tasker_core.errors import PermanentError, RetryableError
from tasker_core.step_handler.functional import depends_on, inputs, step_handler


class Order(BaseModel):
    order_id: str
    quantity: int
    unit_price: float = 2.5
    note: str | None = None


class Priced(BaseModel):
    order_id: str
    total: float


@step_handler("compat_validate_order")
@inputs(Order)
def validate_order(inputs: Order):
    """Refuse an order without items."""
    if inputs.quantity <= 0:
        raise PermanentError(
            "An order needs at least one item", error_code="EMPTY_ORDER", metadata={"seen": 0}
        )
    return {"order_id": inputs.order_id, "quantity": inputs.quantity, "price": inputs.unit_price}


@step_handler("compat_price_order", version="2.1.0")
@depends_on(order="validate_order")
def price_order(order):
    """Multiply."""
    return Priced(order_id=order["order_id"], total=order["quantity"] * order["price"])


@step_handler("compat_ship_order")
@depends_on(priced=("price_order", Priced))
@inputs("fail_times")
async def ship_order(priced: Priced, fail_times, context):
    """Fail the first attempts, then ship."""
    if context.retry_count < (fail_times or 0):
        raise RetryableError("The carrier is closed", retry_after=0)
    return {"shipped": priced.order_id, "total": priced.total, "attempt": context.retry_count + 1}
