"""`manage.py demo`: the example workflows on real processes, from nothing to finished orders."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from tasker_project.demo import journey, screen
from tasker_project.demo.case import Case
from tasker_project.demo.cases import choose
from tasker_project.demo.client import Api, DemoError
from tasker_project.demo.outcome import Outcome
from tasker_project.local_stack import Addresses, Login, prepare_database, start_stack
from tasker_project.processes import ChildDied, ProcessGroup, interruptible
from templates_registry.conf import registry_settings

INTERRUPTED = 130
LOOK_SECONDS = 1.0


class Command(BaseCommand):
    """Parse, prepare, start, send, follow, compare."""

    help = "Run the example workflows on real processes and compare with what is expected."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--workflow", default="all", metavar="NS/NAME", help="all or one")
        parser.add_argument("--count", type=int, default=1, help="tasks of each kind")
        parser.add_argument("--port", type=int, default=8080, help="of the web process")
        parser.add_argument("--exit", action="store_true", help="stop everything at the end")

    def handle(self, *, workflow: str, count: int, port: int, **options: Any) -> None:
        """Run the demo; processes and the embedded server are ended in any case."""
        cases = self._chosen(workflow, count)
        console = screen.open_console()
        try:
            with interruptible(), ProcessGroup() as group:
                login = prepare_database()
                addresses = start_stack(group, port=port, workers=1)
                outcomes = _run(console, group, addresses, cases * count)
                _tell_addresses(console, addresses, login)
                if console.is_terminal and not options["exit"]:
                    _stay(console, group)
        except (DemoError, ChildDied) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; all is stopped.", returncode=INTERRUPTED) from None
        if any(each.differences for each in outcomes):
            sys.exit(1)

    def _chosen(self, workflow: str, count: int) -> list[Case]:
        if registry_settings().environment == "production":
            raise CommandError("demo has no place in production; see README.", returncode=2)
        if count < 1:
            raise CommandError(f"--count {count}: at least 1 is needed.", returncode=2)
        try:
            return choose(workflow)
        except ValueError as error:
            raise CommandError(f"--workflow: {error}.", returncode=2) from error


def _run(
    console: Console, group: ProcessGroup, addresses: Addresses, cases: list[Case]
) -> list[Outcome]:
    """Send the cases, follow them and show what became of them."""
    with Api(addresses.api) as api:
        journey.wait_until_up(api, group)
        sent = journey.send(api, cases)
        with screen.Progress(console, sent).shown() as progress:
            outcomes = journey.follow(api, group, sent, tell=progress.tell)
    screen.show_outcomes(console, outcomes)
    return outcomes


def _tell_addresses(console: Console, addresses: Addresses, login: Login) -> None:
    password = f"password {login.password}" if login.password else "password as before"
    console.print(f"admin  {addresses.admin}  (user {login.name}, {password})")
    console.print(f"API    {addresses.api}")


def _stay(console: Console, group: ProcessGroup) -> None:
    """Keep the processes up until Ctrl-C, or until one of them ends."""
    try:
        console.print("Stop with Ctrl-C.")
        while True:
            group.check()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        console.print("Stopping.")
