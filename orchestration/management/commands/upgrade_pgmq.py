"""`manage.py upgrade_pgmq`: brings PGMQ to the shipped or offered version; messages stay."""

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from orchestration.messaging import pgmq


class Command(BaseCommand):
    """Upgrades PGMQ in one transaction."""

    help = "Bring PGMQ to the version that the requirements ship or the server offers."

    def handle(self, *args: Any, **options: Any) -> None:
        """Upgrade and print the versions before and after."""
        before = pgmq.version() or "of unknown version"
        try:
            pgmq.upgrade()
        except DatabaseError as error:
            raise CommandError(
                f"PGMQ {before} could not be upgraded, nothing changed: {error}"
            ) from error
        self.stdout.write(f"PGMQ {before} -> {pgmq.version()}")
