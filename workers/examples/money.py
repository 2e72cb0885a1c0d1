"""What the examples share: money in decimal, and ids that derive from the task."""

from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> Decimal:
    """Round half up to cents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def as_number(amount: Decimal) -> float:
    """Return an amount as a JSON number with two decimals."""
    return float(to_cents(amount))


def derived_id(prefix: str, task_uuid: UUID) -> str:
    """Return an id that is the same for every attempt: prefix and the last 8 hex digits.

    The first digits of a version 7 UUID are a clock, equal for all tasks of a minute.
    """
    return f"{prefix}-{task_uuid.hex[-8:].upper()}"
