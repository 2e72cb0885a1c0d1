"""`generate_scaffold -t TEMPLATE -o DIR [-s STEP]`: models, handlers that use them, and tests."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from workers.codegen.commands import GeneratingCommand
from workers.codegen.generate import generate_scaffold


class Command(GeneratingCommand):
    """Write the three files of a scaffold."""

    help = "Generate models.py, step_handlers.py and test_step_handlers.py from a task template."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the folder too."""
        super().add_arguments(parser)
        self.add_handler_arguments(parser)
        parser.add_argument("-o", "--output", metavar="DIR", required=True, help="write there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Generate the files and write them."""
        folder = Path(options["output"])
        make = partial(generate_scaffold, folder=folder, source=options["import_from"])
        self.hand_over(self.generate(options, make), is_printed=False)
