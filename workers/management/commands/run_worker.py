"""`manage.py run_worker [NAMESPACE…]`: claims and runs steps until it is asked to stop.

With `--processes N` this process does nothing but watch over N others, each of which runs the same
command line as a worker of its own.
"""

import argparse
from functools import partial
from typing import Any

from django.core.management.base import CommandError, CommandParser

from orchestration.conf import engine_settings
from orchestration.process.command import ProcessCommand, chosen
from orchestration.process.replicas import Replicas, command_again
from orchestration.runtime.identity import identify_process
from orchestration.runtime.log_context import name_process
from orchestration.runtime.supervisor import EXIT_BAD_CONFIGURATION
from templates_registry.conf import Range
from workers.conf import worker_settings
from workers.published.event_bridge import EventBridge
from workers.worker import WorkerOptions, run_worker

LARGEST_NUMBER = 256
MOST_PROCESSES = 64
LAST_PORT = 65535


class Command(ProcessCommand):
    """Runs a worker."""

    help = "Run the steps of some namespaces, or of all whose handlers are here."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of a worker."""
        super().add_arguments(parser)
        parser.add_argument("namespaces", nargs="*", metavar="NAMESPACE")
        parser.add_argument(
            "--slots",
            type=slots,
            metavar="MAX|MIN-MAX",
            help="handlers at the same time: at most, or at least and at most",
        )
        parser.add_argument(
            "--processes",
            type=processes,
            metavar="N",
            help="so many workers, each a process, under one parent; ports from --http-port on",
        )
        parser.add_argument("--parent-fd", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--worker-id", help="name shown and recorded; default host-pid-4hex")
        parser.add_argument(
            "--handlers",
            action="append",
            default=[],
            metavar="MODULE",
            help="module or package with more handlers; may be repeated",
        )
        parser.add_argument(
            "--no-sync", action="store_true", help="do not register the templates first"
        )

    def run(self, options: dict[str, Any]) -> int:
        """Run one worker, or watch over several."""
        count = chosen(options["processes"], worker_settings().worker_processes)
        if count == 1:
            return self._run_one(options)
        if not self.is_own_process:
            raise CommandError("Several processes need a parent of their own: manage.py run_worker")
        return self._run_several(count, options)

    def _run_several(self, count: int, options: dict[str, Any]) -> int:
        """Run the same command line as several workers, told apart by name and port."""
        settings = worker_settings()
        first_port = chosen(options["http_port"], settings.worker_http_port)
        if first_port and first_port + count - 1 > LAST_PORT:
            raise CommandError(
                f"There are no {count} ports from {first_port} on; choose a lower --http-port",
                returncode=EXIT_BAD_CONFIGURATION,
            )
        given = chosen(options["worker_id"], settings.worker_id)
        name = identify_process("worker", name=given).name
        name_process(kind="worker", name=name)
        command = partial(_command_of, name=name, first_port=first_port)
        return Replicas(count, command, is_once=options["once"]).run()

    def _run_one(self, options: dict[str, Any]) -> int:
        """Turn the options into those of the worker and run it."""
        settings, engine = worker_settings(), engine_settings()
        EventBridge.instance().start()  # costs nothing unless a handler module subscribes
        return run_worker(
            WorkerOptions(
                namespaces=options["namespaces"],
                slots=chosen(options["slots"], slots(str(settings.max_concurrent_handlers))),
                mode=chosen(options["mode"], engine.mode),
                worker_id=chosen(options["worker_id"], settings.worker_id),
                http_port=chosen(options["http_port"], settings.worker_http_port),
                idle_seconds=options["idle_seconds"],
                grace_seconds=chosen(options["grace_seconds"], engine.shutdown_grace_seconds),
                handlers=options["handlers"],
                syncs_templates=settings.sync_templates_on_start and not options["no_sync"],
                is_once=options["once"],
                parent_fd=options["parent_fd"],
            )
        )


def _command_of(number: int, parent_fd: int, *, name: str, first_port: int) -> list[str]:
    """Return the command line of one of several workers; 0 stays no port."""
    return command_again(
        processes=1,
        worker_id=f"{name}-{number}",
        http_port=first_port + number - 1 if first_port else 0,
        parent_fd=parent_fd,
    )


def processes(text: str) -> int:
    """Read how many processes there shall be."""
    number = int(text)
    if not 1 <= number <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {MOST_PROCESSES}")
    return number


def slots(text: str) -> Range:
    """Read `MAX` or `MIN-MAX`: the most handlers to run at the same time, and the least slots."""
    least, _, most = text.partition("-")
    if not most:
        usual = worker_settings().min_concurrent_handlers
        least, most = str(min(usual, int(text))), text
    bounds = Range(int(least), int(most))
    if not 1 <= bounds.minimum <= bounds.maximum <= LARGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"{text} is not MAX or MIN-MAX (1 to {LARGEST_NUMBER})")
    return bounds
