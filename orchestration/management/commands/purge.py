"""`manage.py purge`: deletes finished tasks and what else has been kept long enough."""

import argparse
from dataclasses import replace
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, IntegrityError

from orchestration.conf import RetentionSettings, retention_settings
from orchestration.lifecycle import retention
from orchestration.runtime.shutdown import Shutdown

TASKS_ARE_KEPT = (
    "Finished tasks are kept: TASKER_RETENTION_TASK_DAYS is 0. Set it to a number of days (90 is a "
    "good beginning), or say --days."
)
REFERENCED = (
    "Deleting finished tasks failed, the last batch was rolled back: a table outside Tasker still "
    "points to one of them. Delete its rows first, or let its foreign key SET NULL or CASCADE in "
    "the database. PostgreSQL says: {error}"
)


class Command(BaseCommand):
    """Parses the options, purges batch by batch until done or asked to stop."""

    help = (
        "Delete finished tasks, closed DLQ entries and archived messages that are older than the "
        "settings of retention say, in small transactions. May be stopped at any moment."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; what is not given comes from the settings."""
        parser.add_argument("--days", type=_positive, help="age of finished tasks")
        parser.add_argument("--dlq-days", type=_positive, help="age of closed DLQ entries")
        parser.add_argument("--archive-days", type=_positive, help="age of archived messages")
        parser.add_argument("--batch", type=_positive, help="tasks per transaction")
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, **options: Any) -> None:
        """Purge; SIGTERM and Ctrl-C let the present batch end, and are no failure."""
        limits = _limits(options)
        if not limits.retention_task_days:
            self.stdout.write(TASKS_ARE_KEPT)
        if options["dry_run"]:
            self._print(retention.count(limits), said="would be deleted")
            return
        shutdown = Shutdown()
        shutdown.install()
        try:
            self._purge(limits, shutdown)
        except retention.PurgeBusyError as error:
            raise CommandError(f"{error}; nothing more was deleted. Try again later.") from error
        except IntegrityError as error:
            raise CommandError(REFERENCED.format(error=str(error).strip())) from error
        except DatabaseError as error:
            raise CommandError(f"The last batch was rolled back: {str(error).strip()}") from error
        finally:
            shutdown.uninstall()

    def _purge(self, limits: RetentionSettings, shutdown: Shutdown) -> None:
        def rest(seconds: float) -> bool:
            if not shutdown.is_asked:
                shutdown.wait(seconds)
            return not shutdown.is_asked

        def show(total: retention.Rows) -> None:
            self.stderr.write(f"{total['tasks']} tasks, {total.total()} rows so far")

        deleted = retention.purge(limits, rest=rest, show=show)
        self._print(deleted, said="deleted")
        if shutdown.is_asked:
            self.stdout.write("Stopped before the end; run it again to go on.")

    def _print(self, rows: retention.Rows, *, said: str) -> None:
        for name, number in rows.items():
            if name == "detached_entries":
                self.stdout.write(f"{number:>10} dlq_entries of these tasks stay, by their own age")
            else:
                self.stdout.write(f"{number:>10} {name} {said}")
        if not rows:
            self.stdout.write(f"Nothing {said}: nothing is old enough.")


def _limits(options: dict[str, Any]) -> RetentionSettings:
    """Return the settings, with what was given on the command line in their place."""
    given = {
        "retention_task_days": options["days"],
        "retention_dlq_days": options["dlq_days"],
        "retention_archive_days": options["archive_days"],
        "purge_batch_count": options["batch"],
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(retention_settings(), **chosen)


def _positive(text: str) -> int:
    """Read a number of days or tasks."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1 is needed")
    return number
