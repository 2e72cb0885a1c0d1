"""`manage.py bench_peers`: measures Tasker and its peers in turns, on a server of their own."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from tasker_project.bench import report
from tasker_project.bench.database import behaving_as_in_production
from tasker_project.bench.errors import BenchError
from tasker_project.bench.own_server import own_server
from tasker_project.bench.peers.comparing import Comparison
from tasker_project.bench.peers.outcome import by_rows
from tasker_project.bench.peers.peer_side import PeerSystem
from tasker_project.bench.peers.roster import PEERS, Peer
from tasker_project.bench.peers.tasker_side import TaskerSystem
from tasker_project.bench.peers.turns import Turns
from tasker_project.bench.running import Bench
from tasker_project.processes import interruptible

NUMBERS = {
    "rounds": (3, 1, "turns of each system; medians are reported"),
    "workflows": (1000, 5, "workflows of a throughput, a fifth of them of the widest shape"),
    "samples": (30, 1, "workflows of a latency"),
    "idle-seconds": (5, 0, "how long to watch what has nothing to do; 0 = not at all"),
}
NARROWEST = 170  # columns a file or a pipe gets, so that no figure is cut
TASKER_WORKERS = 2
TASKER_SLOTS = 128
INSTALLED_IN = ".data/peers"


class Command(BaseCommand):
    """Parse the options, install the peers, measure, show the figures."""

    help = "Measure Tasker beside its peers, installed from PyPI; see docs/peers.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        for name, (default, _, what) in NUMBERS.items():
            parser.add_argument(f"--{name}", type=int, default=default, help=what)
        names = [peer.name for peer in PEERS]
        parser.add_argument("--only", nargs="+", choices=names, default=names, help="peers")
        parser.add_argument("--json", type=Path, metavar="FILE", help="store figures and facts")

    def handle(self, **options: Any) -> None:
        """Measure; the server is removed and every process ended in any case."""
        for name, (_, least, _) in NUMBERS.items():
            if options[name.replace("-", "_")] < least:
                raise CommandError(f"--{name} must be at least {least}", returncode=2)
        peers = [peer for peer in PEERS if peer.name in options["only"]]
        try:
            with interruptible(), behaving_as_in_production():
                self._measure(peers, options)
        except BenchError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing was left behind.", returncode=130) from None

    def _measure(self, peers: list[Peer], options: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory(prefix="tasker-peers-") as folder, own_server() as server:
            logs = Path(folder)
            turns = Turns(server, options["workflows"], options["samples"], options["idle_seconds"])
            comparison = Comparison(turns, self.stderr.write)
            systems = comparison.prepare(
                peers,
                settings.BASE_DIR / INSTALLED_IN,
                lambda peer, python: PeerSystem(peer, python, server, logs),
            )
            facts = report.facts(["manage.py", *sys.argv[1:]])
            facts |= {peer.name: ", ".join(peer.packages) for peer in peers}
            tasker = TaskerSystem(Bench(logs=logs, workers=TASKER_WORKERS, slots=TASKER_SLOTS))
            comparison.run([tasker, *systems], rounds=options["rounds"])
        self._show(comparison, peers, facts)
        if options["json"]:
            facts |= {"runs": comparison.runs, "missing": comparison.missing}
            report.store(options["json"], comparison.figures(peers), facts)

    def _show(self, comparison: Comparison, peers: list[Peer], facts: dict[str, Any]) -> None:
        """Print one table for each kind of figure, and what has none."""
        console = Console(file=self.stdout)  # type: ignore[arg-type]
        if not console.is_terminal:
            console.width = max(console.width, NARROWEST)
        figures = comparison.figures(peers)
        keyed = {key: value for key, value in figures.items() if "." in key}
        found = {key: value for key, value in figures.items() if "." not in key}
        report.show(keyed | by_rows(found), facts, console=console)
        for name, reason in comparison.missing.items():
            console.print(f"{name:<24} - {reason}", markup=False, highlight=False)
