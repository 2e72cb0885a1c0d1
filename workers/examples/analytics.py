"""The example `analytics/daily_report`: three extracts at once, one report.

extract_* → transform_* (sales, inventory, customers) → aggregate_metrics → build_insights; the
template is in `templates_registry/templates/examples/`. The sources are built in, so that every
number is known; the input may let one of them fail for some attempts, or for good.
"""

from collections import Counter
from decimal import Decimal
from typing import Any

from workers.context import StepContext
from workers.errors import PermanentError, RetryableError
from workers.examples.money import as_number
from workers.handlers.functional import depends_on, step_handler

PRODUCTS = (("alpha", Decimal("12.00")), ("beta", Decimal("30.00")), ("gamma", Decimal("7.50")))
SALES = [
    {
        "product": PRODUCTS[i % 3][0],
        "price": as_number(PRODUCTS[i % 3][1]),
        "quantity": 1 + 7 * i % 5,
    }
    for i in range(1, 31)
]
INVENTORY = [{"item": k, "stock": 13 * k % 50, "reorder_point": 10} for k in range(1, 9)]
CUSTOMERS = [{"customer": k, "lifetime_value": 100 * k} for k in range(1, 11)]
SILVER_FROM, GOLD_FROM = 400, 800
POINTS_PER_LOW_ITEM = 10
RATINGS = ((90, "excellent"), (70, "good"), (50, "fair"), (0, "poor"))


@step_handler("analytics.extract_sales")
def extract_sales(context: StepContext) -> dict[str, Any]:
    """Read the sales of the day."""
    return _extract("sales", SALES, context)


@step_handler("analytics.extract_inventory")
def extract_inventory(context: StepContext) -> dict[str, Any]:
    """Read what is in stock."""
    return _extract("inventory", INVENTORY, context)


@step_handler("analytics.extract_customers")
def extract_customers(context: StepContext) -> dict[str, Any]:
    """Read what customers are worth."""
    return _extract("customers", CUSTOMERS, context)


@step_handler("analytics.transform_sales")
@depends_on(sales="extract_sales")
def transform_sales(sales: dict[str, Any]) -> dict[str, Any]:
    """Add up units and revenue, by product too."""
    units: Counter[str] = Counter()
    revenue: dict[str, Decimal] = {}
    for sale in sales["records"]:
        product, quantity = sale["product"], sale["quantity"]
        units[product] += quantity
        revenue[product] = revenue.get(product, Decimal(0)) + Decimal(str(sale["price"])) * quantity
    return {
        "records": len(sales["records"]),
        "units": units.total(),
        "revenue": as_number(sum(revenue.values(), Decimal(0))),
        "by_product": {
            product: {"units": units[product], "revenue": as_number(revenue[product])}
            for product in sorted(units)
        },
        "top_product": max(sorted(revenue), key=lambda product: revenue[product]),
    }


@step_handler("analytics.transform_inventory")
@depends_on(inventory="extract_inventory")
def transform_inventory(inventory: dict[str, Any]) -> dict[str, Any]:
    """Add up the stock and list what is low."""
    records = inventory["records"]
    return {
        "total_stock": sum(each["stock"] for each in records),
        "low_items": [each["item"] for each in records if each["stock"] <= each["reorder_point"]],
    }


@step_handler("analytics.transform_customers")
@depends_on(customers="extract_customers")
def transform_customers(customers: dict[str, Any]) -> dict[str, Any]:
    """Count the customers of each tier."""
    values = [each["lifetime_value"] for each in customers["records"]]
    tiers = Counter(map(tier_of, values))
    return {
        "customers": len(values),
        "lifetime_value": as_number(Decimal(sum(values))),
        "tiers": {tier: tiers[tier] for tier in ("bronze", "silver", "gold")},
    }


@step_handler("analytics.aggregate_metrics")
@depends_on(
    sales="transform_sales", inventory="transform_inventory", customers="transform_customers"
)
def aggregate_metrics(
    sales: dict[str, Any], inventory: dict[str, Any], customers: dict[str, Any]
) -> dict[str, Any]:
    """Relate the three sources to each other."""
    revenue = Decimal(str(sales["revenue"]))
    return {
        "revenue": sales["revenue"],
        "revenue_per_customer": as_number(revenue / customers["customers"]),
        "stock_cover": as_number(Decimal(inventory["total_stock"]) / sales["units"]),
        "top_product": sales["top_product"],
        "low_items": inventory["low_items"],
    }


@step_handler("analytics.build_insights")
@depends_on(metrics="aggregate_metrics")
def build_insights(metrics: dict[str, Any]) -> dict[str, Any]:
    """Say what a person should look at, and how the day was."""
    low = len(metrics["low_items"])
    score = 100 - POINTS_PER_LOW_ITEM * low
    codes = [f"TOP_PRODUCT:{metrics['top_product']}", *([f"REORDER:{low}"] if low else [])]
    return {"codes": codes, "score": score, "rating": rating_of(score)}


def tier_of(lifetime_value: int) -> str:
    """Return bronze, silver or gold."""
    if lifetime_value >= GOLD_FROM:
        return "gold"
    return "silver" if lifetime_value >= SILVER_FROM else "bronze"


def rating_of(score: int) -> str:
    """Return the word for a score."""
    return next(word for least, word in RATINGS if score >= least)


def _extract(source: str, records: list[dict[str, Any]], context: StepContext) -> dict[str, Any]:
    if context.get_input("gone_source") == source:
        raise PermanentError(f"The source {source} is gone.", error_code="SOURCE_GONE")
    fails = context.get_input("fail_source") == source
    if fails and context.attempt <= (context.get_input("fail_times") or 0):
        raise RetryableError(f"The source {source} is busy.", error_code="SOURCE_BUSY")
    return {"source": source, "records": records}
