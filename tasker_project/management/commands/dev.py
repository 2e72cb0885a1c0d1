"""`manage.py dev`: everything a developer needs, in one terminal, until Ctrl-C.

Prepares the database, starts web, orchestrator and workers, shows what they print, and restarts
them when a file changes. A child that dies, say of a syntax error, is started again by the next
change; without reload its death ends the command.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasker_project.local_stack import Addresses, answers, prepare_database, start_stack
from tasker_project.processes import ChildDied, ProcessGroup, interruptible
from templates_registry.conf import registry_settings

LOOK_MS = 500
WATCHED = {".py", ".yaml", ".yml", ".sql", ".html", ".env"}
IGNORED = {".venv", ".data", ".git", "__pycache__", "tests", "staticfiles"}
COLOURS = {"web": 36, "orchestrator": 35}
WORKER_COLOUR = 33


class Command(BaseCommand):
    """Parse, prepare, start, watch."""

    help = "Run web, orchestrator and workers on this machine, restarted on change."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--port", type=int, default=8080, help="of the web process")
        parser.add_argument("--workers", type=int, default=1, help="number of worker processes")
        parser.add_argument("--no-reload", action="store_true", help="do not watch the files")

    def handle(self, *, port: int, workers: int, no_reload: bool, **options: Any) -> None:
        """Run until a signal; leave nothing behind."""
        if registry_settings().environment == "production":
            raise CommandError("dev is no way to serve production; see README.", returncode=2)
        self._lines = threading.Lock()
        self._colours = sys.stdout.isatty()
        with suppress(KeyboardInterrupt), interruptible(), ProcessGroup(show=self._show) as group:
            login = prepare_database(verbosity=options["verbosity"])
            self._show(
                "dev", f"admin user '{login.name}', password {login.password or 'as before'}"
            )
            while True:
                addresses = start_stack(group, port=port, workers=workers)
                changed = self._wait(group, addresses, reload=not no_reload)
                self._show("dev", f"{changed} changed, starting again")
                group.stop()

    def _wait(self, group: ProcessGroup, addresses: Addresses, *, reload: bool) -> str:
        """Tell the addresses once they answer; return the name of a file that changed.

        Without reload, return never.

        Raises `CommandError` when a process died and no change can mend it.
        """
        is_told = has_addresses = False
        for changed in _changes(reload=reload):
            if changed:
                return changed
            if not has_addresses and (has_addresses := answers(addresses)):
                self._tell(addresses)
            try:
                group.check()
            except ChildDied as death:
                if not reload:
                    raise CommandError(str(death)) from death
                if not is_told:
                    self._show("dev", f"{str(death).splitlines()[0]} waiting for a change")
                    is_told = True
        raise CommandError("The files can no longer be watched; start dev again.")

    def _tell(self, addresses: Addresses) -> None:
        self._show("dev", f"admin {addresses.admin}   API {addresses.api}   stop with Ctrl-C")

    def _show(self, name: str, line: str) -> None:
        """Print one line of one process; called from several threads."""
        label = f"{name:<12} |"
        if self._colours:
            label = f"\033[{COLOURS.get(name, WORKER_COLOUR)}m{label}\033[0m"
        with self._lines:
            self.stdout.write(f"{label} {line}")
            self.stdout.flush()


def _changes(*, reload: bool) -> Iterator[str]:
    """Yield the name of a changed file, or an empty text every half second without one."""
    if not reload:
        pause = threading.Event()
        while True:
            pause.wait(LOOK_MS / 1000)
            yield ""
    from watchfiles import watch  # a tool of developers, not installed in production

    root = Path(settings.BASE_DIR)
    for changes in watch(
        root,
        watch_filter=lambda change, path: _is_watched(Path(path).relative_to(root)),
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
    ):
        names = sorted(str(Path(path).relative_to(root)) for _, path in changes)
        yield names[0] if names else ""


def _is_watched(path: Path) -> bool:
    """Tell whether a file is part of the program."""
    return (path.suffix in WATCHED or path.name == ".env") and not IGNORED & set(path.parts)
