"""`manage.py tasker`: the frame around the groups of verbs, their output and their exit codes."""

import logging
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django import db
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.exceptions import ValidationError

from orchestration.checks import refuse_bad_settings
from orchestration.errors import TaskerError
from orchestration.fsm import ConcurrentTransition
from orchestration.http.errors import answer_of, details_of, message_of
from orchestration.management.tasker import GROUPS
from orchestration.management.tasker.output import FORMATS, as_json, as_table, printable
from orchestration.management.tasker.verb import Answer, Exit, Verb, exit_of

FORMAT_VARIABLE = "TASKER_CLI_FORMAT"


class Command(BaseCommand):
    """Finds the verb, runs it, prints what it answers."""

    help = "Look after tasks, templates, the DLQ and keys; the same functions as API and admin."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare every group with its verbs."""
        groups = parser.add_subparsers(dest="group", metavar="GROUP", required=True)
        for name, path in GROUPS.items():
            module = import_module(path)
            said = (module.__doc__ or "").partition("\n")[0]
            group = groups.add_parser(name, help=said, description=said)
            verbs = group.add_subparsers(dest="verb", metavar="VERB", required=True)
            for verb_name, verb in module.VERBS.items():
                _declare(verbs.add_parser(verb_name, help=verb.help, description=verb.help), verb)

    def handle(self, *args: object, **options: Any) -> None:
        """Run the verb and end with its exit code."""
        verb: Verb = import_module(GROUPS[options["group"]]).VERBS[options["verb"]]
        if verb.needs_good_settings:
            refuse_bad_settings(code=Exit.USAGE)
        _log_to_stderr()
        form = _format(options)
        try:
            answer = verb.run(options)
        except KeyboardInterrupt:
            sys.exit(Exit.INTERRUPTED)
        except (TaskerError, ConcurrentTransition, ValidationError, db.Error) as error:
            self._print_error(error, form)
            sys.exit(exit_of(error))
        self._print(answer, form)
        if answer.exit_code:
            sys.exit(answer.exit_code)

    def _print(self, answer: Answer, form: str) -> None:
        if form == "json":
            self.stdout.write(as_json(answer.body))
        else:
            table = answer.body if answer.table is None else answer.table
            if isinstance(table, str):
                self.stdout.write(table, ending="")
                return
            for line in as_table(table, answer.columns):
                self.stdout.write(line)
        for note in answer.notes:
            self.stderr.write(printable(note), self.style.NOTICE)

    def _print_error(self, error: Exception, form: str) -> None:
        details = details_of(error)
        if form == "json":
            body: dict[str, Any] = {"code": answer_of(error)[0], "message": _told(error)}
            if details:
                body["details"] = details
            self.stderr.write(as_json({"error": body}))
            return
        self.stderr.write(printable(f"Error: {_told(error)}"))
        for each in details if isinstance(details, list) else ():
            self.stderr.write(printable(f"  {each['path']}: {each['message']}"))


def _told(error: Exception) -> str:
    """Return what went wrong; whoever has a command line may read the database's own words."""
    if isinstance(error, db.Error):
        return f"The database refused or could not be reached: {str(error).strip()}"
    return message_of(error)


def _log_to_stderr() -> None:
    """Keep log lines out of the answer, which is the one document on stdout."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)


def _declare(parser: CommandParser, verb: Verb) -> None:
    parser.add_argument(
        "--format", choices=FORMATS, help=f"how to print; also {FORMAT_VARIABLE} (default: table)"
    )
    verb.arguments(parser)


def _format(options: Mapping[str, Any]) -> str:
    form = str(options.get("format") or os.environ.get(FORMAT_VARIABLE) or FORMATS[0])
    if form not in FORMATS:
        raise CommandError(
            f"{FORMAT_VARIABLE} = {form!r}: must be one of {', '.join(FORMATS)}",
            returncode=Exit.USAGE,
        )
    return form
