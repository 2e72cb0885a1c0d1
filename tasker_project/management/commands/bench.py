"""`manage.py bench [SUITE…]`: measures the engine on this machine and says with what."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from tasker_project.bench import comparison, report, targets
from tasker_project.bench.database import bench_database
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures
from tasker_project.bench.running import Bench
from tasker_project.bench.suites import BY_NAME_ONLY, SUITES
from tasker_project.demo.client import DemoError
from tasker_project.processes import interruptible

NUMBERS = {
    "tasks": (3000, "tasks of the backlog (throughput, notify, profile, sleeping, age)"),
    "samples": (100, "samples of each figure"),
    "orchestrators": (1, "processes of the engine"),
    "workers": (1, "processes of the engine"),
    "slots": (10, "handlers that a worker runs at the same time"),
    "steps": (5000, "steps of one task (large)"),
    "batches": (10_000, "batches of one step (large)"),
    "seconds": (60, "how long to watch (idle)"),
    "concurrency": (16, "clients at once (api)"),
}
QUANTITIES = {
    "minutes": (30.0, "how long the load lasts (soak)"),
    "rate": (0.0, "tasks a second; 0 = 60 %% of the measured most (soak)"),
    "keep_minutes": (0.0, "purge tasks that finished so long ago; 0 = keep all (soak)"),
}
NARROWEST = 160  # columns a file or a pipe gets, so that no key is cut


class Command(BaseCommand):
    """Parse the options, run the suites, show the figures."""

    help = "Measure latency, throughput and costs; a database of its own unless --here."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; every one is read by the suites that it concerns."""
        parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
        for name, (default, what) in NUMBERS.items():
            parser.add_argument(f"--{name}", type=_at_least_one, default=default, help=what)
        for name, (amount, what) in QUANTITIES.items():
            parser.add_argument(
                f"--{name.replace('_', '-')}", type=_not_negative, default=amount, help=what
            )
        parser.add_argument(
            "--sizes",
            type=_at_least_one,
            nargs="+",
            default=[5000, 100_000],
            help="sql, age: tasks to load",
        )
        parser.add_argument("--random-state", type=int, default=7)
        parser.add_argument("--here", action="store_true", help="measure this very database")
        parser.add_argument("--keep", action="store_true", help="do not drop the bench database")
        parser.add_argument("--json", type=Path, metavar="FILE", help="store figures and facts")
        parser.add_argument("--compare", type=Path, metavar="FILE", help="stored ones to beat")
        parser.add_argument("--max-regression", type=float, default=15, metavar="PERCENT")
        parser.add_argument("--check", action="store_true", help="exit 1 when a floor is missed")

    def handle(self, *, suites: list[str], **options: Any) -> None:
        """Measure; the bench database is dropped and every process ended in any case."""
        if unknown := [name for name in suites if name not in SUITES]:
            known = ", ".join(SUITES)
            raise CommandError(f"There is no suite '{unknown[0]}'; there are {known}", returncode=2)
        try:
            with interruptible():
                self._measure(suites or _usual_suites(), options)
        except (BenchError, DemoError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing was left behind.", returncode=130) from None

    def _measure(self, suites: list[str], options: dict[str, Any]) -> None:
        asked = {name: options[name] for name in (*NUMBERS, *QUANTITIES, "sizes", "random_state")}
        earlier = comparison.read(options["compare"]) if options["compare"] else {}
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        if not console.is_terminal:
            console.width = max(console.width, NARROWEST)
        with (
            tempfile.TemporaryDirectory(prefix="tasker-bench-") as logs,
            bench_database(here=options["here"], keep=options["keep"]),
        ):
            bench = Bench(logs=Path(logs), say=self.stderr.write, **asked)
            facts = report.facts(["manage.py", *sys.argv[1:]])
            figures: Figures = {}
            for name in suites:
                figures |= SUITES[name](bench)
            report.show(figures, facts, bench.listings, console=console)
            if options["json"]:
                report.store(options["json"], figures, facts, bench.listings)
        misses = targets.missed(figures) if options["check"] else []
        misses += comparison.regressions(figures, earlier, max_percent=options["max_regression"])
        if misses:
            raise CommandError("\n".join(misses))


def _at_least_one(text: str) -> int:
    """Read a number that must not be 0."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1 is needed")
    return number


def _not_negative(text: str) -> float:
    """Read an amount."""
    if (number := float(text)) < 0:
        raise argparse.ArgumentTypeError(f"{text}: must not be negative")
    return number


def _usual_suites() -> list[str]:
    return [name for name in SUITES if name not in BY_NAME_ONLY]
