"""Reports of `analytics/daily_report`, the table of handlers.md 10.3."""

from collections.abc import Mapping
from typing import Any

from tasker_project.demo.case import BLOCKED, Case

STEPS = (
    "extract_sales",
    "extract_inventory",
    "transform_sales",
    "transform_inventory",
    "extract_customers",
    "transform_customers",
    "aggregate_metrics",
    "build_insights",
)
SAME_NUMBERS = {
    "transform_sales": {"revenue": 1485.0, "units": 90, "top_product": "beta"},
    "transform_inventory": {"total_stock": 168},
    "aggregate_metrics": {"revenue_per_customer": 148.5, "stock_cover": 1.87},
    "build_insights": {"score": 80, "rating": "good"},
}


def _report(title: str, context: Mapping[str, Any], **expected: Any) -> Case:
    """Return a report whose sources may fail."""
    return Case(
        title=title,
        namespace="analytics",
        name="daily_report",
        steps=STEPS,
        context=context,
        **expected,
    )


REPORTS = (
    _report("the daily report", {}, results=SAME_NUMBERS),
    _report(
        "a source that is busy",
        {"fail_source": "inventory", "fail_times": 2},
        attempts={"extract_inventory": 3},
        results=SAME_NUMBERS,
    ),
    _report(
        "a source that is gone",
        {"gone_source": "customers"},
        state=BLOCKED,
        fails_at="extract_customers",
        error_code="SOURCE_GONE",
    ),
)
