"""One transaction, repeated at once when it lost a deadlock."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, transaction
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
                found = _without_dead_connection(work)
            took_ms = (time.perf_counter() - began) * 1000
            metrics.TRANSACTION_DURATION.observe(took_ms, operation=_operation(work))
            return found
        except OperationalError as error:
            if attempt == ATTEMPTS or not isinstance(error.__cause__, LOST_RACES):
                raise
            log.warning("transaction.repeated", extra={"attempt": attempt, "error": str(error)})
    raise AssertionError("unreachable: the last attempt returns or raises")


def _without_dead_connection(work: Callable[[], Result]) -> Result:
    """Run the work; a connection that died meanwhile is dropped while its block is still open.

    Otherwise Django would open the next one to leave the block, which waits for the pool to find
    the server again before anybody is told that it is gone.
    """
    try:
        return work()
    except (OperationalError, InterfaceError):
        connection = transaction.get_connection()
        if connection.connection is not None and connection.connection.closed:
            connection.close()
        raise


def _operation(work: Callable[[], object]) -> str:
    """Return the function that a transaction was written in: the words of the source are few."""
    named = getattr(work, "func", work)  # a partial has no name of its own
    return str(getattr(named, "__qualname__", metrics.OTHER)).partition(".")[0].lstrip("_")
