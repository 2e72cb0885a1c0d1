"""What the generating commands share: arguments, finding the template, where the text goes."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from templates_registry.errors import TemplateError, TemplateNotFound
from templates_registry.registry import TemplateNameError, load_named
from templates_registry.schema import TaskTemplate
from workers.codegen.files import Consent, FileRefusedError, write_all
from workers.codegen.generate import Generated
from workers.codegen.imports import PUBLISHED, WORKERS


class GeneratingCommand(BaseCommand):
    """A command that makes code of one template."""

    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the template, the step and what may happen to files that exist."""
        parser.add_argument(
            "-t",
            "--template",
            required=True,
            help="a file, or NAMESPACE/NAME[:VERSION] as registered",
        )
        parser.add_argument("-s", "--step", help="this step only")
        parser.add_argument("--force", action="store_true", help="overwrite files that exist")

    def add_handler_arguments(self, parser: CommandParser) -> None:
        """Declare what concerns handlers: where names come from, and completing files."""
        parser.add_argument("--append", action="store_true", help="add what is missing in files")
        parser.add_argument(
            "--import-from",
            choices=(WORKERS, PUBLISHED),
            default=WORKERS,
            help="the package that handlers import from",
        )

    def generate(self, options: dict[str, Any], make: Callable[..., Generated]) -> Generated:
        """Find template and step, make the text; problems end the command with a sentence."""
        template = find_template(options["template"])
        step = options["step"]
        if step is not None and step not in template.steps_by_name:
            known = ", ".join(template.steps_by_name)
            raise CommandError(f"{template} has no step {step!r}; it has {known}.")
        if options.get("append") and not options["output"]:
            raise CommandError("--append completes a file: name it with -o.")
        # What is printed overwrites nothing.
        consent = Consent(options.get("append", False), options["force"] or not options["output"])
        try:
            made = make(template, step=step, consent=consent)
        except FileRefusedError as error:
            raise CommandError(str(error)) from error
        for warning in made.warnings:
            self.stderr.write(f"warning: {warning}")
        return made

    def hand_over(self, made: Generated, *, is_printed: bool) -> None:
        """Print the text, further files behind a line with their name; or write the files."""
        if is_printed:
            first, *others = made.files
            self.stdout.write(first.text, ending="")
            for each in others:
                self.stdout.write(f"\n\n# {each.path}\n{each.text}", ending="")
            return
        try:
            write_all(made.files)
        except FileRefusedError as error:
            raise CommandError(str(error)) from error
        for each in made.files:
            self.stdout.write(f"wrote {each.path}")


def find_template(wanted: str) -> TaskTemplate:
    """Return the template of a file, or a registered one; raises CommandError."""
    try:
        return load_named(wanted)
    except (TemplateNameError, TemplateError, TemplateNotFound) as error:
        raise CommandError(str(error)) from error
