"""`manage.py run_worker [NAMESPACE…]`: claims and runs steps until it is asked to stop."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from orchestration.conf import engine_settings
from orchestration.process.command import ProcessCommand, chosen
from workers.conf import worker_settings
from workers.worker import WorkerOptions, run_worker


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
            help="handlers at the same time; of MIN-MAX the greater counts for now",
        )
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
        """Turn the options into those of the worker and run it."""
        settings, engine = worker_settings(), engine_settings()
        return run_worker(
            WorkerOptions(
                namespaces=options["namespaces"],
                slots=chosen(options["slots"], settings.max_concurrent_handlers),
                mode=chosen(options["mode"], engine.mode),
                worker_id=chosen(options["worker_id"], settings.worker_id),
                http_port=chosen(options["http_port"], settings.worker_http_port),
                idle_seconds=options["idle_seconds"],
                grace_seconds=chosen(options["grace_seconds"], engine.shutdown_grace_seconds),
                handlers=options["handlers"],
                syncs_templates=settings.sync_templates_on_start and not options["no_sync"],
                is_once=options["once"],
            )
        )


def slots(text: str) -> int:
    """Read `N` or `MIN-MAX` and return the most handlers to run at the same time."""
    least, _, most = text.partition("-")
    number = int(most or least)
    if not 1 <= int(least) <= number <= 256:
        raise argparse.ArgumentTypeError(f"{text} is not N or MIN-MAX (1 to 256)")
    return number
