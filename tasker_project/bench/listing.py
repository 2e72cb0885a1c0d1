"""What a suite found beside its figures: named by a statement or a function, so never compared."""

from collections.abc import Sequence
from typing import NamedTuple


class Listing(NamedTuple):
    """One table; the first value of a row says what the others are about."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
