"""`migrate` as Django has it, but straight to the server and without time limits.

A transaction pooler may be too old for what a migration does, and an index on a large table takes
longer than a request ever may. Only the command line is meant: whoever calls the command from
Python (the test runner does, on a database of another name) keeps the connection there is.
"""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections

from orchestration.runtime import sessions

UNLIMITED = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


class Command(migrate.Command):
    """Django's command on a connection of its own kind."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Choose the connection, then go on as usual."""
        use_direct_connection()
        super().run_from_argv(argv)


def use_direct_connection() -> None:
    """Open the connections of this process straight to the server from now on."""
    connections.close_all()
    default = connections["default"].settings_dict
    if "OPTIONS" in settings.DATABASES["default"]:
        default.update(direct_connection(default))


def direct_connection(default: dict[str, Any]) -> dict[str, Any]:
    """Return what is different about a connection for migrations."""
    ours = {"options", "cursor_factory", "pool"}
    options = {key: value for key, value in default["OPTIONS"].items() if key not in ours}
    # A pooler remains in between where nothing else is given.
    is_pooled = settings.DATABASE_IS_POOLED and not settings.DATABASE_DIRECT_URL
    wanted = {**settings.DATABASE_SESSION, **UNLIMITED}
    options |= sessions.connection_options(wanted, is_pooled=is_pooled)
    return {
        **settings.DATABASE_DIRECT,
        "OPTIONS": {**options, **settings.DATABASE_DIRECT.get("OPTIONS", {})},
    }
