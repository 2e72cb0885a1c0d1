"""The time limit of a request: past it the next statement is refused, and the transaction with it.

A single statement is limited by the database (`statement_timeout`); this adds up what many of them
take. A request that is late after its last statement is answered as usual: it is done.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from orchestration.errors import RequestTimeoutError

Statement = Callable[[Any, Any, bool, Any], Any]


@contextmanager
def time_limit(seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Refuse statements of this thread once the time is over; raises `RequestTimeoutError`."""
    deadline = clock() + seconds

    def check(execute: Statement, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if clock() >= deadline:
            raise RequestTimeoutError(f"The request took longer than {seconds} s; nothing was kept")
        return execute(sql, params, many, context)

    with connections[DEFAULT_DB_ALIAS].execute_wrapper(check):
        yield
