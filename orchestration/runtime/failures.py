"""What an error of the database says: is the database gone, is a statement failing, or neither.

Django wraps the driver's errors; their SQLSTATE is what tells them apart. What the database says
about the data in hand (integrity, a value out of range, a refused move, a lost race) is no failure
of the database, or one bad message could stop all others.
"""

import psycopg
from django import db

TOO_MANY_CONNECTIONS = "53300"
ABOUT_DATA = ("22", "23", "40", "P0")
"""Classes of errors about the data or about who else has it: values, integrity, races, RAISE."""
LOCK_NOT_AVAILABLE = "55P03"


def is_database_gone(error: BaseException) -> bool:
    """Tell whether the connection was refused or lost, or none was free in time."""
    found = _driver_error(error)
    if not isinstance(found, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = found.sqlstate
    if state is None or state == TOO_MANY_CONNECTIONS:
        return True
    return state[:2] in ("08", "57") and not isinstance(found, psycopg.errors.QueryCanceled)


def is_database_failing(error: BaseException) -> bool:
    """Tell whether the database is gone or took longer than a statement may."""
    return is_database_gone(error) or isinstance(_driver_error(error), psycopg.errors.QueryCanceled)


def is_statement_failing(error: BaseException) -> bool:
    """Tell whether a statement failed on a connection that works, whatever data it was given."""
    found = _driver_error(error)
    if not isinstance(found, psycopg.Error) or is_database_gone(found):
        return False
    state = found.sqlstate or ""
    return state[:2] not in ABOUT_DATA and state != LOCK_NOT_AVAILABLE


def _driver_error(error: BaseException) -> BaseException | None:
    return error.__cause__ if isinstance(error, db.Error) else error
