"""`check_schemas [--app A]`: do the models of handlers fit the schemas of their templates?

The system check of the same name reports what can break a step; with `-v 2` this command also tells
what is merely different. Exit codes: 0 all fit, 1 something does not, 2 usage.
"""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workers.checks.schemas import SchemaFinding, find_differences


class Command(BaseCommand):
    """Compare and print."""

    help = "Compare the models that handlers use with the schemas of the templates."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the app."""
        parser.add_argument(
            "--app", metavar="A", help="label of the app whose handlers are checked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and exit 1 when something does not fit."""
        try:
            chosen = [apps.get_app_config(options["app"])] if options["app"] else None
        except LookupError as error:
            raise CommandError(str(error), returncode=2) from error
        found = find_differences(chosen)
        bad = [each for each in found if not each.difference.is_harmless]
        for each in found if options["verbosity"] > 1 else bad:
            self.stdout.write(_line(each))
        self.stdout.write(f"{len(bad)} differences, {len(found) - len(bad)} harmless ones")
        if bad:
            raise SystemExit(1)


def _line(found: SchemaFinding) -> str:
    severity = "info" if found.difference.is_harmless else "warning"
    return f"{severity} {found.difference.kind}: {found}"
