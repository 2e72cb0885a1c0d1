"""`manage.py bench [SUITE…]`: measures the engine on this machine and says with what."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from tasker_project.bench import report
from tasker_project.bench.database import bench_database
from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures
from tasker_project.bench.running import Bench
from tasker_project.bench.suites import SUITES
from tasker_project.processes import interruptible


class Command(BaseCommand):
    """Parse the options, run the suites, show the figures."""

    help = "Measure latency, throughput and costs; a database of its own unless --here."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; every one is read by the suites that it concerns."""
        parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
        parser.add_argument("--tasks", type=int, default=3000, help="throughput: tasks")
        parser.add_argument("--samples", type=int, default=100, help="samples per figure")
        parser.add_argument("--orchestrators", type=int, default=1)
        parser.add_argument("--workers", type=int, default=1)
        parser.add_argument("--slots", type=int, default=10, help="handler slots of each worker")
        parser.add_argument("--seconds", type=int, default=60, help="idle: how long to watch")
        parser.add_argument("--random-state", type=int, default=7)
        parser.add_argument("--here", action="store_true", help="measure this very database")
        parser.add_argument("--keep", action="store_true", help="do not drop the bench database")
        parser.add_argument("--json", type=Path, metavar="FILE", help="store figures and facts")

    def handle(self, *, suites: list[str], **options: Any) -> None:
        """Measure; the bench database is dropped and every process ended in any case."""
        if unknown := [name for name in suites if name not in SUITES]:
            known = ", ".join(SUITES)
            raise CommandError(f"There is no suite '{unknown[0]}'; there are {known}", returncode=2)
        try:
            with interruptible():
                self._measure(suites or list(SUITES), options)
        except BenchError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing was left behind.", returncode=130) from None

    def _measure(self, suites: list[str], options: dict[str, Any]) -> None:
        names = ("tasks", "samples", "orchestrators", "workers", "slots", "seconds", "random_state")
        asked = {name: options[name] for name in names}
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        with (
            tempfile.TemporaryDirectory(prefix="tasker-bench-") as logs,
            bench_database(here=options["here"], keep=options["keep"]),
        ):
            bench = Bench(logs=Path(logs), say=self.stderr.write, **asked)
            facts = report.facts(["manage.py", *sys.argv[1:]])
            figures: Figures = {}
            for name in suites:
                figures |= SUITES[name](bench)
            report.show(figures, facts, console=console)
            if options["json"]:
                report.store(options["json"], figures, facts)
