"""The database that is measured: `<name>_bench` on the same server, made anew and dropped again.

The measuring process and its children use the settings' defaults instead of the development
profile: DEBUG off, no log of statements, the polls of production. A variable that somebody set
himself stands.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test.utils import override_settings
from psycopg import sql

from orchestration.configuration import written
from tasker_project.bench.errors import BenchError
from tasker_project.bench.shapes import register_shapes
from templates_registry.conf import table, tables

ADDRESS = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
PACKAGES = ("tasker_project", "templates_registry", "orchestration", "workers")


@contextmanager
def bench_database(*, here: bool, keep: bool) -> Iterator[str]:
    """Connect this process to the database that is measured; yield its name."""
    own = str(connections["default"].settings_dict["NAME"])
    name = own if here else f"{own}_bench"
    with behaving_as_in_production(), nullcontext() if here else _made_anew(name, keep=keep):
        call_command("migrate", verbosity=0)
        _refuse_tasks(name)
        register_shapes()
        yield name


@contextmanager
def _made_anew(name: str, *, keep: bool) -> Iterator[None]:
    """Make an empty database and connect this process to it; drop it afterwards, unless kept."""
    own = str(connections["default"].settings_dict["NAME"])
    _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _run("CREATE DATABASE {}", name)
    try:
        _use(name)
        yield
    finally:
        _use(own)
        if not keep:
            _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextmanager
def connected_to(address: Mapping[str, Any]) -> Iterator[None]:
    """Connect this process to another server, given as in DATABASES, and afterwards back."""
    before = {key: connections["default"].settings_dict[key] for key in ADDRESS}
    _use_settings({**dict.fromkeys(ADDRESS, ""), **_part(address)})
    try:
        yield
    finally:
        _use_settings(before)


def _part(address: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in address.items() if key in ADDRESS}


def _refuse_tasks(name: str) -> None:
    """Refuse a database that holds tasks: suites empty the tables of tasks between measurements."""
    if value("SELECT EXISTS (SELECT FROM tasker_tasks)"):
        raise BenchError(
            f"The database '{name}' holds tasks, and a measurement would delete them; leave out "
            "--here, or name an empty database."
        )


@contextmanager
def behaving_as_in_production() -> Iterator[None]:
    """Keep this process from noting every statement and event, whatever the profile says."""
    loggers = [logging.getLogger(package) for package in PACKAGES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        # With DEBUG off the embedded server must be allowed, and Django does not keep statements.
        with override_settings(DEBUG=False, TASKER={**settings.TASKER, "allow_embedded": True}):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def child_environment() -> dict[str, str]:
    """Return the variables of the children: this database, and defaults instead of a profile."""
    found = {"DATABASE_URL": database_url(), "DATABASE_DIRECT_URL": "", "DJANGO_DEBUG": "false"}
    for row in (row for each in tables() for row in table(each)):
        given = any(os.environ.get(variable) for variable in row.variables)
        if "development" in row.profiles and not given:
            found[row.variables[0]] = written(row.default)
    return found


def database_url() -> str:
    """Return the address of the database this process is connected to."""
    given = connections["default"].settings_dict
    user = quote(str(given["USER"]), safe="")
    password = f":{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else ""
    host = quote(str(given["HOST"] or "localhost"), safe="")
    port = f":{given['PORT']}" if given["PORT"] else ""
    certificates = {k: v for k, v in given.get("OPTIONS", {}).items() if k.startswith("ssl")}
    query = f"?{urlencode(certificates)}" if certificates else ""
    return f"postgresql://{user}{password}@{host}{port}/{quote(given['NAME'], safe='')}{query}"


def rows(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement of a measurement and return its rows, none if it has no columns."""
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def value(statement: str, **parameters: Any) -> Any:
    """Run a statement of one row and one column and return the value."""
    [[found]] = rows(statement, **parameters)
    return found


def settle() -> None:
    """Bring planner statistics and dead rows into the state that autovacuum would, then flush."""
    rows("SET statement_timeout = 0")  # a busy disk may take longer than a request ever may
    rows("VACUUM (ANALYZE)")
    if value("SELECT pg_has_role('pg_checkpoint', 'USAGE')"):
        rows("CHECKPOINT")


def _run(statement: str, name: str) -> None:
    """Run a statement that names a database."""
    composed = sql.SQL(statement).format(sql.Identifier(name))
    with connections["default"].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # a drop waits for the disk
        try:
            cursor.execute(composed)
        except Exception as error:
            raise BenchError(
                f"The bench database '{name}' could not be prepared ({str(error).strip()}); give "
                "the role CREATEDB, or measure this database with --here."
            ) from error


def _use(name: str) -> None:
    """Connect the whole process to another database of the server."""
    _use_settings({"NAME": name})


def _use_settings(changed: Mapping[str, Any]) -> None:
    connection = connections["default"]
    connection.close()
    if isinstance(connection, DatabaseWrapper):
        connection.close_pool()
    settings.DATABASES["default"].update(changed)
    connection.settings_dict.update(changed)
