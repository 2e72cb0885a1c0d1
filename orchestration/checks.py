"""System checks of the settings: what is unknown, out of range, or does not fit together.

They run with `manage.py check`, before every command and at the start of every process. What needs
a database (its schema, PGMQ) is in `orchestration.health` and asked when a process starts, because
an unapplied migration must not stop `migrate`; a PostgreSQL older than 14 is refused by Django.
"""

import difflib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags
from django.core.checks import Warning as CheckWarning
from django.core.checks.registry import registry
from django.db import connections

from templates_registry.conf import Range, Value, read, table, tables

PAGES = {Tags.admin, Tags.templates, Tags.urls}
ADVICE = "advice"
"""Tag of checks that only warn, and read many files for it: they cannot refuse a start."""
SHORTEST_SECRET = 50
EXECUTORS = {
    "A worker": ("max_concurrent_handlers",),
    "An orchestrator": ("pool_results", "pool_requests", "pool_discovery"),
}
LARGEST_POOL = 100
EXTRA_CONNECTIONS = 4  # single loops and the heartbeat of a process
LARGEST_SHARE = 0.85
NO_SETTINGS = frozenset({"TASKER_CLI_FORMAT"})  # a habit of a person, no setting of the system
# what Kubernetes derives from the names of services is nobody's mistake
KUBERNETES = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT|_PORT$|_PORT_")


def check_settings(**options: Any) -> list[CheckMessage]:
    """Return everything that is wrong with the settings, each with its value and its source."""
    values = {key: value for source in tables() for key, value in read(source).items()}
    found = [_error(*value.problem) for value in values.values() if value.problem]
    return [
        *_unknown_keys(getattr(settings, "TASKER", {})),
        *_unknown_variables(os.environ),
        *found,
        *_production(str(values["environment"].value)),
        *_database(),
        *_pool(values),
        *_heartbeat(values),
        *_tiers(values),
        *_timeouts(values),
        *_retention(values),
    ]


def refuse_bad_settings(*, code: int = 2, shows_pages: bool = False) -> None:
    """End this process, having said why, when a check of any app refuses to start.

    One that shows no pages leaves theirs out: they import every view, form and template. Those that
    need a database are left out as Django's own run leaves them out.
    """
    left_out = {ADVICE, Tags.database} if shows_pages else {ADVICE, Tags.database, *PAGES}
    found = _checks_without(left_out)
    refused = [message for message in found if message.is_serious()]
    if refused:
        sys.stderr.write("".join(f"{message}\n" for message in refused))
        raise SystemExit(code)


def _checks_without(tags: Iterable[str]) -> Iterable[CheckMessage]:
    left_out = frozenset(tags)
    for check in registry.get_checks():
        if left_out.isdisjoint(getattr(check, "tags", ())):
            yield from check(app_configs=None, databases=None)


def _error(check: str, text: str) -> Error:
    return Error(text, id=f"tasker.{check}")


def _unknown_keys(given: Mapping[str, Any]) -> Iterable[Error]:
    known = [row.key for source in tables() for row in table(source)]
    for key in sorted(set(given) - set(known)):
        yield _unknown(f"TASKER[{key!r}]", key, {name: name for name in known})


def _unknown_variables(given: Mapping[str, str]) -> Iterable[Error]:
    known = [name for source in tables() for row in table(source) for name in row.variables]
    for name in sorted(set(given) - set(known)):
        is_ours = name.startswith("TASKER_") and name not in NO_SETTINGS
        if is_ours and not KUBERNETES.search(name):
            distinct = {each.removeprefix("TASKER_"): each for each in known}
            yield _unknown(name, name.removeprefix("TASKER_"), distinct)


def _unknown(shown: str, name: str, known: Mapping[str, str]) -> Error:
    """Refuse a name; `known` maps what tells names apart to how they are written."""
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {known[nearest[0]]}?" if nearest else " Remove it."
    return _error("E001", f"{shown} is no setting of Tasker.{hint}")


def _production(environment: str) -> Iterable[Error]:
    if environment != "production":
        return
    if settings.DEBUG:
        yield _error("E005", "DJANGO_DEBUG is on in production: must be off.")
    if settings.SECRET_KEY.startswith("django-insecure") or (
        len(settings.SECRET_KEY) < SHORTEST_SECRET
    ):
        text = "DJANGO_SECRET_KEY is missing or short in production: must be 50 letters or more."
        yield _error("E007", text)
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        given = ",".join(settings.ALLOWED_HOSTS) or "empty"
        text = f"DJANGO_ALLOWED_HOSTS is {given} in production: must name the hosts served."
        yield _error("E008", text)


def _database() -> Iterable[CheckMessage]:
    direct = settings.DATABASE_DIRECT_URL
    wrong = {
        "DATABASE_URL": connections["default"].vendor != "postgresql",
        "DATABASE_DIRECT_URL": direct and not direct.startswith(("postgresql://", "postgres://")),
    }
    for name in (name for name, is_wrong in wrong.items() if is_wrong):
        yield _error("E016", f"{name} is no address of a PostgreSQL: must be postgresql://….")


def _pool(values: Mapping[str, Value]) -> Iterable[CheckMessage]:
    database = settings.DATABASES["default"]
    size = values["db_pool_size"].value.maximum
    if not database.get("OPTIONS", {}).get("pool"):
        return
    if database.get("CONN_MAX_AGE", 0) != 0:
        text = "DATABASES sets CONN_MAX_AGE beside the pool: must be 0, or TASKER_DB_POOL_SIZE 0-0."
        yield _error("E017", text)
    if size > LARGEST_POOL:
        yield CheckWarning(
            f"DB_POOL_SIZE = {values['db_pool_size'].value} (from "
            f"{values['db_pool_size'].variable}): more than {LARGEST_POOL} connections per process "
            "rarely help, and all of them count against max_connections of the server.",
            id="tasker.W007",
        )
    if find_spec("psycopg_pool") is None:
        yield _error("E017", "psycopg_pool is not installed: install it, or set a pool of 0-0.")
    for kind, names in EXECUTORS.items():
        executors = sum(_most(values[name].value) for name in names)
        needed = executors + EXTRA_CONNECTIONS
        if needed > LARGEST_SHARE * size:
            given = ", ".join(
                f"{name.upper()} = {values[name].value} (from {values[name].source})"
                for name in names
            )
            yield _error(
                "E012",
                f"{kind} with {given} needs {needed} connections, more than 85 % of "
                f"DB_POOL_SIZE = {values['db_pool_size'].value}.",
            )


def _most(value: int | Range) -> int:
    return value.maximum if isinstance(value, Range) else value


def _heartbeat(values: Mapping[str, Value]) -> Iterable[Error]:
    heartbeat, lease = values["heartbeat_seconds"], values["lease_seconds"]
    if heartbeat.value * 3 > lease.value:
        yield _error(
            "E013",
            f"HEARTBEAT_SECONDS = {heartbeat.value} (from {heartbeat.variable}): must be at most a "
            f"third of LEASE_SECONDS = {lease.value} (from {lease.variable}).",
        )


def _timeouts(values: Mapping[str, Value]) -> Iterable[Error]:
    statement, request = values["api_statement_timeout_ms"], values["api_timeout_seconds"]
    if statement.value >= request.value * 1000:
        yield _error(
            "E015",
            f"API_STATEMENT_TIMEOUT_MS = {statement.value} (from {statement.variable}): must be "
            f"less than API_TIMEOUT_SECONDS = {request.value} (from {request.variable}).",
        )


def _retention(values: Mapping[str, Value]) -> Iterable[CheckMessage]:
    days = values["retention_task_days"]
    if values["environment"].value == "production" and not days.value:
        yield CheckWarning(
            f"RETENTION_TASK_DAYS = 0 (from {days.source}) in production: finished tasks are kept "
            "for ever. Set a number of days, 90 is a good beginning, and run manage.py purge every "
            "day or set PURGE_INTERVAL_HOURS.",
            id="tasker.W002",
        )


def _tiers(values: Mapping[str, Value]) -> Iterable[Error]:
    tiers = [(name, values[name]) for name in ("queue_warning", "queue_critical", "queue_overflow")]
    for (_, lower), (_, higher) in pairwise(tiers):
        if lower.value >= higher.value:
            named = ", ".join(
                f"{name.upper()} = {value.value} (from {value.variable})" for name, value in tiers
            )
            yield _error("E014", f"{named}: each must be more than the one before.")
            return
