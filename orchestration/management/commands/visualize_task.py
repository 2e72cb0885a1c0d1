"""`manage.py visualize_task UUID`: a task as graph and table, as it is now."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestration.management.output import add_output_options, write_output
from orchestration.pictures import render_task
from orchestration.queries.task_graph import find_task_graph


class Command(BaseCommand):
    """Reads a task and prints what `orchestration.pictures` makes of it."""

    help = "Show a task as a Mermaid graph and a table of its steps."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the task, the server of its links and the form of the answer."""
        parser.add_argument("task_uuid", metavar="UUID", type=UUID)
        parser.add_argument(
            "--base-url", metavar="U", default="", help="server that links lead to; none: relative"
        )
        add_output_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the task."""
        graph = find_task_graph(options["task_uuid"])
        if graph is None:
            raise CommandError(f"Cannot show task {options['task_uuid']}: there is no such task.")
        text = render_task(
            graph,
            output_format=options["format"],
            graph_only=options["graph_only"],
            base_url=options["base_url"],
        )
        write_output(self, text, options["output"])
