"""`manage.py pg`: the embedded PostgreSQL by hand.

`start` keeps the server up until `stop`, beyond the end of the command; the other verbs work
whether it was running or not. Thin: everything is done by `tasker_project.embedded`.
"""

import os
import subprocess
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasker_project.embedded import postmaster
from tasker_project.embedded.binaries import EmbeddedError, program
from tasker_project.embedded.launcher import NAME, EmbeddedServer


class Command(BaseCommand):
    """Parse the verb and call the function of that name."""

    help = "Start, stop, show, enter or dump the embedded PostgreSQL server."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the verbs; psql and dump hand further arguments on to the program."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("start", help="keep the server up until `pg stop`")
        verbs.add_parser("stop", help="let the server stop with its last user")
        verbs.add_parser("status", help="show whether it runs, and where")
        for verb in ("psql", "dump"):
            # With no prefix, `-c` is an argument like any other, and the program's own.
            each = verbs.add_parser(
                verb, help=f"run {verb} on the database", prefix_chars="\0", add_help=False
            )
            each.add_argument("arguments", nargs="*")

    def handle(self, *, verb: str, arguments: list[str] | None = None, **options: Any) -> None:
        """Run one verb on the server that the settings name."""
        server: EmbeddedServer = settings.EMBEDDED_SERVER
        try:
            if verb in ("psql", "dump"):
                self._run({"psql": "psql", "dump": "pg_dump"}[verb], server, arguments or [])
            else:
                {"start": self._start, "stop": self._stop, "status": self._status}[verb](server)
        except EmbeddedError as error:
            raise CommandError(str(error), returncode=5) from error

    def _start(self, server: EmbeddedServer) -> None:
        server.pin()
        self._status(server)

    def _stop(self, server: EmbeddedServer) -> None:
        server.unpin()
        if server.stop_unused():
            self.stdout.write("The embedded PostgreSQL is stopped.")
        else:
            self.stdout.write("Other processes use the server; it stops with the last of them.")

    def _status(self, server: EmbeddedServer) -> None:
        running = postmaster.is_running(server.data)
        rows = {
            "state": "running" if running else "stopped",
            "version": server.version(),
            "kept up by pg start": "yes" if server.is_pinned() else "no",
            "data": server.data,
            "address": f"postgresql://{NAME}@/{NAME}?host={server.socket_folder}",
            "in use": "no: DATABASE_URL is set" if not _is_default() else "yes",
        }
        for name, value in rows.items():
            self.stdout.write(f"{name:<20} {value}")

    def _run(self, name: str, server: EmbeddedServer, arguments: list[str]) -> None:
        """Run a client program on the database, with the terminal of this process."""
        server.ensure()
        path = program(name, server.version())
        environment = {**os.environ, "PGHOST": str(server.socket_folder), "PGDATABASE": NAME}
        environment |= {"PGUSER": NAME, "PGPORT": "5432"}
        done = subprocess.run([str(path), *arguments], env=environment, check=False)  # noqa: S603
        if done.returncode:
            raise CommandError(f"{name} ended with code {done.returncode}.", returncode=1)


def _is_default() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"] == "tasker_project.embedded")
