"""`manage.py run_worker [NAMESPACE…]`: claims and runs steps until it is asked to stop."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from orchestration.conf import engine_settings
from orchestration.process.command import ProcessCommand, chosen
from templates_registry.conf import Range
from workers.conf import worker_settings
from workers.published.event_bridge import EventBridge
from workers.worker import WorkerOptions, run_worker

LARGEST_NUMBER = 256


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
            )
        )


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
