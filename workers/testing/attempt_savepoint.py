"""A savepoint before the first statement of a handler: what a failed statement breaks is repaired.

A worker's handler is in autocommit mode, so a statement of it that fails takes nothing else along.
Inside the transaction of a test it would: then, and only then, what this dispatch wrote is undone.
Why not simply around every dispatch: most handlers under test use no database, and two statements
for nothing are a tenth of what a step costs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from psycopg.pq import TransactionStatus


class AttemptSavepoint:
    """Guards the caller's transaction against the statements of one attempt."""

    def __init__(self) -> None:
        self._savepoint: str | None = None
        self._is_beginning = False

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Guard until the end of the block, whose last dispatch is undone if it broke something."""
        try:
            with transaction.get_connection().execute_wrapper(self._begin_first):
                yield
        finally:
            if self._savepoint is not None and _is_broken():
                transaction.set_rollback(False)  # or Django refuses the statement that repairs it
                transaction.savepoint_rollback(self._savepoint)
                self._savepoint = None
            self.end()

    def end(self) -> None:
        """Keep what was done until now: another dispatch begins."""
        if self._savepoint is not None:
            ended, self._savepoint = self._savepoint, None
            self._is_beginning = True
            transaction.savepoint_commit(ended)
            self._is_beginning = False

    def _begin_first(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Set the savepoint before the first statement after `end`."""
        if self._savepoint is None and not self._is_beginning:
            self._is_beginning = True
            self._savepoint = transaction.savepoint()
            self._is_beginning = False
        return execute(sql, params, many, context)


def _is_broken() -> bool:
    """Say whether the transaction takes no more statements."""
    connection = transaction.get_connection()
    status = connection.connection.info.transaction_status
    return bool(connection.needs_rollback or status == TransactionStatus.INERROR)
