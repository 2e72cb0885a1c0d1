"""`manage.py migrate_and_sync`: bring a deployment's database up to date, before its processes.

What a container does before it serves, or the one job that runs before all others. Replicas that
start together take turns under one lock: the first one migrates, the others find nothing to do. A
database that is not there yet is waited for; a migration or a template that is refused ends the
command with code 1, so that nothing is started on half a schema.

Why a lock of a transaction and not of a session: it holds behind a transaction pooler too.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connections

from orchestration.checks import refuse_bad_settings
from tasker_project.management.commands.migrate import use_direct_connection

# for the rest of the transaction; it does nothing but hold the lock
LIMITS = """
SELECT
  set_config('lock_timeout', %s, true),
  set_config('idle_in_transaction_session_timeout', '0', true)
"""
TAKE_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('tasker.migrate_and_sync', 0))"


class Command(BaseCommand):
    """Wait for the database, take the lock, migrate, register templates."""

    help = "Apply migrations and register templates; safe when replicas start together."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare how patient the command is."""
        parser.add_argument("--retries", type=int, default=3, help="further tries (default: 3)")
        parser.add_argument(
            "--retry-delay-seconds", type=float, default=10, help="pause between two (default: 10)"
        )
        parser.add_argument(
            "--lock-wait-seconds",
            type=float,
            default=300,
            help="longest wait for a replica that migrates already (default: 300)",
        )

    def handle(
        self,
        *args: object,
        retries: int,
        retry_delay_seconds: float,
        lock_wait_seconds: float,
        **options: Any,
    ) -> None:
        """Try until it is done or the retries are used up."""
        refuse_bad_settings()
        use_direct_connection()
        for left in range(max(retries, 0), -1, -1):
            try:
                with only_one(wait_seconds=lock_wait_seconds):
                    call_command("migrate", interactive=False, verbosity=options["verbosity"])
                    call_command("sync_templates", verbosity=options["verbosity"])
            except (OperationalError, InterfaceError) as error:
                if not left:
                    raise CommandError(f"The database is not up to date: {told(error)}") from error
                self.stderr.write(
                    f"{told(error)}; trying again in {retry_delay_seconds:g} s, {left} left"
                )
                connections.close_all()
                time.sleep(retry_delay_seconds)
            else:
                return


@contextmanager
def only_one(*, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of all replicas on a connection of its own until the block ends.

    Raises `OperationalError` when another replica holds it for longer than `wait_seconds`.
    """
    holder = connections["default"].copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute(LIMITS, [f"{round(wait_seconds * 1000)}ms"])
            cursor.execute(TAKE_LOCK)
        yield
    finally:
        holder.close()


def told(error: Exception) -> str:
    """Return the first line of what the database said."""
    return str(error).strip().partition("\n")[0]
