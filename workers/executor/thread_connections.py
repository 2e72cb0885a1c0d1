"""The database connections of a handler's thread, checked before and cleaned after each dispatch.

As Django does around a request, with two differences: a transaction that was open before the
dispatch (a test's) is left alone, and one that the handler left open is not handed to the next one.
A thread that has given its connections back and opened none since is not looked at.
"""

from collections.abc import Collection
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, connections

from orchestration.runtime import database


def check_connections() -> frozenset[str]:
    """Close what is unusable or too old; return the aliases with an open transaction."""
    if not database.may_hold_connections():
        return frozenset()
    outer = frozenset(
        each.alias for each in connections.all(initialized_only=True) if each.in_atomic_block
    )
    clean_connections(outer)
    return outer


def clean_connections(outer: Collection[str], *, is_interrupted: bool = False) -> None:
    """Close what the dispatch leaves unusable; after an interruption, everything.

    An exception out of the blue may have hit Django or the driver anywhere, so the wrapper with its
    state of open blocks is dropped too.
    """
    if not is_interrupted and not database.may_hold_connections():
        return
    for connection in connections.all(initialized_only=True):
        if connection.alias in outer:
            continue
        if not is_interrupted and not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
            continue
        with suppress(DatabaseError, InterfaceError):  # it is dropped all the same
            connection.close()
        del connections[connection.alias]
