"""`generate_types -t TEMPLATE [-s STEP] [-o FILE]`: pydantic models of inputs and results."""

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from workers.codegen.commands import GeneratingCommand
from workers.codegen.generate import MODELS_FILE, generate_types


class Command(GeneratingCommand):
    """Print the models, or write them."""

    help = "Generate pydantic models from the schemas of a task template."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the output file too."""
        super().add_arguments(parser)
        parser.add_argument(
            "-o", "--output", metavar="FILE", help="write to a file, always anew, instead"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Generate the models and hand them over."""
        path = Path(options["output"] or MODELS_FILE)
        made = self.generate(options, partial(generate_types, path=path))
        self.hand_over(made, is_printed=not options["output"])
