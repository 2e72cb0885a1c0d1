"""`manage.py visualize_states`: the state machines of tasks and steps; `make graph` runs it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orchestration.management.output import write_output
from orchestration.pictures.machines import render_machines


class Command(BaseCommand):
    """Prints the moves that the models declare."""

    help = "Show the state machines of tasks and steps as Mermaid diagrams."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare where the diagrams go."""
        parser.add_argument("-o", "--output", metavar="FILE", help="write to a file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print both machines."""
        write_output(self, render_machines(), options["output"])
