"""What the commands that draw have in common: the form of their answer and where it goes."""

from pathlib import Path
from typing import get_args

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestration.pictures import Format


def add_output_options(parser: CommandParser) -> None:
    """Declare `-f`, `-o` and `--graph-only`."""
    parser.add_argument(
        "-f", "--format", choices=get_args(Format), default="markdown", help="default: markdown"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write to a file")
    parser.add_argument("--graph-only", action="store_true", help="leave the table out")


def write_output(command: BaseCommand, text: str, path: str | None) -> None:
    """Write a text that ends with a line break to a file, or to standard output."""
    if path is None:
        command.stdout.write(text, ending="")
        return
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(f"Cannot write to {path}: {reason}.", returncode=2) from error
