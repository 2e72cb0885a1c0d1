"""`template_schema [-o FILE]`: the JSON Schema with which editors check templates."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from templates_registry.schema.editor import editor_schema_text


class Command(BaseCommand):
    """Print the schema, or write it to a file."""

    help = "Print the JSON Schema (Draft 2020-12) of task templates, for editors."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the output file."""
        parser.add_argument("-o", "--output", metavar="FILE", help="write to a file instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the schema where it is wanted."""
        text = editor_schema_text()
        if options["output"]:
            Path(options["output"]).write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
