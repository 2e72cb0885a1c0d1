"""Functions that start at the same moment, each in a session of its own."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import connections, transaction

from tests.processes import wait_until

BREAK_SECONDS = 60.0


def race(*works: Callable[[], Any]) -> list[Any]:
    """Run all at once and return what each returned or raised, in the order given."""
    barrier = threading.Barrier(len(works))
    outcomes: list[Any] = [None] * len(works)

    def run(place: int, work: Callable[[], Any]) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait(BREAK_SECONDS)
            outcomes[place] = work()
        except Exception as error:  # noqa: BLE001 - the test judges it
            outcomes[place] = error
            with suppress(Exception):
                barrier.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def overtake(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Do `first` in a transaction; before it commits, `second` runs in a session of its own.

    The transaction stays open until `second` is over, or waits for one of its locks.
    """
    late: list[Any] = []

    def run() -> None:
        late.extend(race(second))

    other = threading.Thread(target=run)
    with transaction.atomic():
        early = first()
        other.start()
        wait_until(lambda: late or is_somebody_waiting(), BREAK_SECONDS)
    other.join()
    return early, late[0]


def is_somebody_waiting() -> bool:
    """Tell whether a session waits for a lock of another."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
