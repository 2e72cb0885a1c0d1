"""The statement time limit of a worker's own statements, which is not that of its handlers.

Connections wander between threads through the pool, so whoever takes one gives it the limit of the
thread, if it has another one: a round trip only when a connection changes sides.
"""

import threading
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

NO_LIMIT = "0"
_threads = threading.local()


def install() -> None:
    """Watch the connections that threads of this process take."""
    connection_created.connect(_apply, dispatch_uid="workers.worker.statement_limit")


def set_for_this_thread(limit_ms: int | None) -> None:
    """Limit the statements of the calling thread; None lifts the limit of the session."""
    _threads.limit = NO_LIMIT if limit_ms is None else str(limit_ms)


def _apply(sender: object, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    raw: Any = connection.connection
    wanted = getattr(_threads, "limit", None)
    if wanted == getattr(raw, "tasker_limit", None):
        return
    with connection.cursor() as cursor:
        if wanted is None:
            cursor.execute("RESET statement_timeout")
        else:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [wanted])
    raw.tasker_limit = wanted
