"""The limits of a handler's database session, which are not those of the worker's own statements.

Connections wander between threads through the pool, so whoever takes one gives it the limits of the
thread, if it has others: a round trip only when a connection changes sides, and behind a
transaction pooler none at all (runtime/sessions.py). A handler's statement may last as long as the
step; a transaction of it may rest until the step is over for certain.
"""

import threading
from collections.abc import Mapping
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

NO_LIMIT = "0"
MARGIN_SECONDS = 30
_threads = threading.local()


def install() -> None:
    """Watch the connections that threads of this process take."""
    connection_created.connect(_apply, dispatch_uid="workers.worker.statement_limit")


def set_for_this_thread(step_timeout_seconds: int) -> None:
    """Let the calling thread's statements last, and its transactions rest, as long as a step may.

    The server ends a transaction that rests for longer; its handler froze (engine.md 4.3, L7).
    """
    _threads.limits = {
        "statement_timeout": NO_LIMIT,
        "idle_in_transaction_session_timeout": str((step_timeout_seconds + MARGIN_SECONDS) * 1000),
    }


def _apply(sender: object, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    raw: Any = connection.connection
    wanted: dict[str, str] = getattr(_threads, "limits", {})
    found: dict[str, str] = getattr(raw, "limits", {})
    if wanted == found:
        return
    raw.answer_seconds = None if wanted else getattr(type(raw), "answer_seconds", None)
    if not getattr(raw.cursor_factory, "sends_settings", False):
        _tell_session(connection, wanted or dict.fromkeys(found))
    raw.limits = wanted


def _tell_session(connection: BaseDatabaseWrapper, wanted: Mapping[str, str | None]) -> None:
    """Set the session's limits, or put back those it started with (None), in one round trip."""
    statements = [
        f"RESET {name};" if value is None else f"SET {name} = {value};"
        for name, value in wanted.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(" ".join(statements))
