"""One transaction, repeated at once when it lost a deadlock."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction
from psycopg import errors

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
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            if attempt == ATTEMPTS or not isinstance(error.__cause__, LOST_RACES):
                raise
            log.warning("transaction.repeated", extra={"attempt": attempt, "error": str(error)})
    raise AssertionError("unreachable: the last attempt returns or raises")
