"""One transaction, repeated at once when it lost a deadlock."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction
from psycopg import errors

from orchestration import metrics

log = logging.getLogger(__name__)
Result = TypeVar("Result")

ATTEMPTS = 3
LOST_RACES = (errors.DeadlockDetected, errors.SerializationFailure)


def atomically(work: Callable[[], Result]) -> Result:
    """Run `work` in one transaction; after a deadlock run it again, three times at most.

    Inside a caller's transaction it simply joins: only the outermost one can be repeated.
    """
    if transaction.get_connection().in_atomic_block:
        return work()
    began = time.perf_counter()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                found = work()
            took_ms = (time.perf_counter() - began) * 1000
            metrics.TRANSACTION_DURATION.observe(took_ms, operation=_operation(work))
            return found
        except OperationalError as error:
            if attempt == ATTEMPTS or not isinstance(error.__cause__, LOST_RACES):
                raise
            log.warning("transaction.repeated", extra={"attempt": attempt, "error": str(error)})
    raise AssertionError("unreachable: the last attempt returns or raises")


def _operation(work: Callable[[], object]) -> str:
    """Return the function that a transaction was written in: the words of the source are few."""
    named = getattr(work, "func", work)  # a partial has no name of its own
    return str(getattr(named, "__qualname__", metrics.OTHER)).partition(".")[0].lstrip("_")
