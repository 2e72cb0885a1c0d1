"""`generate_handlers -t TEMPLATE [-s STEP] [-o FILE] [--with-tests]`: a handler for every step."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from workers.codegen.commands import GeneratingCommand
from workers.codegen.generate import HANDLERS_FILE, generate_handlers


class Command(GeneratingCommand):
    """Print the handlers, or write them."""

    help = "Generate step handlers, and their tests, from a task template."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the output file and the tests too."""
        super().add_arguments(parser)
        self.add_handler_arguments(parser)
        parser.add_argument("-o", "--output", metavar="FILE", help="write to a file instead")
        parser.add_argument(
            "--with-tests", action="store_true", help="tests too, in test_FILE beside FILE"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Generate the handlers and hand them over."""
        make = partial(
            generate_handlers,
            path=Path(options["output"] or HANDLERS_FILE),
            with_tests=options["with_tests"],
            source=options["import_from"],
        )
        self.hand_over(self.generate(options, make), is_printed=not options["output"])
