"""`manage.py visualize_template FILE|-|NS/NAME[:VER]`: a template as graph and table.

Files and standard input need no database. Exit codes: 1 when there is no such template or it has
errors, 2 usage.
"""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestration.management.output import add_output_options, write_output
from orchestration.pictures import render_template, unknown_annotations
from templates_registry import registry
from templates_registry.errors import TemplateError, TemplateNotFound
from templates_registry.schema import TaskTemplate, load_text
from templates_registry.schema.documents import MAX_BYTES, UnreadableError
from templates_registry.schema.reading import read_documents


class Command(BaseCommand):
    """Finds a template and prints what `orchestration.pictures` makes of it."""

    help = "Show a template as a Mermaid graph and a table of its steps."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the template, its annotations and the form of the answer."""
        parser.add_argument(
            "template", metavar="FILE|-|NS/NAME[:VER]", help="file, standard input or registered"
        )
        parser.add_argument(
            "--annotations", metavar="FILE", help="YAML that maps names of steps to remarks"
        )
        add_output_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the template; unknown annotations are told on stderr."""
        template = _find(options["template"])
        annotations = _annotations(options["annotations"])
        for warning in unknown_annotations(template, annotations):
            self.stderr.write(warning)
        text = render_template(
            template,
            annotations=annotations,
            output_format=options["format"],
            graph_only=options["graph_only"],
        )
        write_output(self, text, options["output"])


def _find(name: str) -> TaskTemplate:
    """Return the template that the argument names."""
    try:
        if name == "-":
            return load_text(sys.stdin.buffer.read(MAX_BYTES + 1))
        return registry.load_named(name)
    except registry.TemplateNameError as error:
        raise CommandError(str(error), returncode=2) from error
    except (TemplateError, TemplateNotFound) as error:
        raise CommandError(f"Cannot show {name!r}: {error}") from error


def _annotations(path: str | None) -> dict[str, str]:
    """Return the remarks of a file by names of steps."""
    if path is None:
        return {}
    try:
        documents = read_documents(Path(path).read_bytes())
    except (OSError, UnreadableError) as error:
        raise CommandError(f"Cannot read annotations from {path}: {error}", returncode=2) from error
    found = documents[0].data if len(documents) == 1 and not documents[0].findings else None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        text = f"Cannot read annotations from {path}: it must map names of steps to texts."
        raise CommandError(text, returncode=2)
    return found
