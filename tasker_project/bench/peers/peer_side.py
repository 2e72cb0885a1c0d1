"""A peer's turn: a database of its own, made anew, its workers, a client for each measurement."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasker_project.bench.peers import databases
from tasker_project.bench.peers.errors import PeerError
from tasker_project.bench.peers.redis_server import start_redis
from tasker_project.bench.peers.roster import Peer
from tasker_project.bench.peers.scripts.contract import Spent
from tasker_project.bench.peers.systems import AtWork
from tasker_project.bench.peers.talking import Answer, ask, read_answer
from tasker_project.embedded.launcher import EmbeddedServer
from tasker_project.processes import Child, ProcessGroup

SCRIPTS = "tasker_project.bench.peers.scripts"
READY_SECONDS = 30.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class PeerSystem:
    """An installed peer."""

    peer: Peer
    python: Path
    server: EmbeddedServer
    logs: Path

    @property
    def name(self) -> str:
        """The name in figures."""
        return f"peer_{self.peer.name}"

    @contextmanager
    def at_work(self) -> Iterator[AtWork]:
        """Start the processes on empty tables, and end them afterwards."""
        with ProcessGroup() as group:
            run = self._prepare(group)
            run.ask("setup")
            if not self.peer.needs_redis:
                databases.settle(run.address)
            for number in range(self.peer.workers):
                run.start_worker(f"worker{number + 1}")
            database = None if self.peer.needs_redis else self.name
            yield AtWork(group, database, run.latencies_ms, run.throughput)

    def _prepare(self, group: ProcessGroup) -> "Run":
        """Make what the peer keeps its work in."""
        if self.peer.needs_redis:
            return Run(self, group, start_redis(group, self.logs))
        with databases.maintenance(self.server) as connection:
            databases.make_anew(connection, self.name)
        return Run(self, group, databases.url(self.server, self.name))


@dataclass(frozen=True)
class Run:
    """The scripts of a peer, in its environment and on its database."""

    system: PeerSystem
    group: ProcessGroup
    address: str

    def latencies_ms(self, shape: str, count: int) -> Sequence[float]:
        """Measure workflows one by one."""
        found: list[float] = self.ask("latency", shape, str(count))["latencies_ms"]
        return found

    def throughput(self, shape: str, count: int, begin: Callable[[], None]) -> Spent:
        """Measure many workflows at once."""
        return Spent(**self.ask("throughput", shape, str(count), begin=begin))

    def ask(self, *words: str, begin: Callable[[], None] = lambda: None) -> Answer:
        """Run the script as a client."""
        return ask(
            f"{self.system.name} {' '.join(words)}",
            self._command(*words),
            environment=self._environment(),
            begin=begin,
        )

    def start_worker(self, name: str) -> None:
        """Start a worker and wait until it says that it works."""
        log_file = self.system.logs / f"{self.system.name}-{name}.log"
        child = self.group.start(
            name, self._command("worker"), environment=self._environment(), log_file=log_file
        )
        deadline = time.monotonic() + READY_SECONDS
        while not _is_ready(log_file):
            if child.exit_code is not None or time.monotonic() > deadline:
                raise PeerError(f"its worker did not start: {_last_words(child)}")
            time.sleep(LOOK_SECONDS)

    def _command(self, *words: str) -> list[str]:
        return [str(self.system.python), "-m", f"{SCRIPTS}.{self.system.peer.script}", *words]

    def _environment(self) -> dict[str, str]:
        return {"PEER_ADDRESS": self.address}


def _is_ready(log_file: Path) -> bool:
    lines = log_file.read_text(errors="replace").splitlines()
    return any(answer.get("ready") for line in lines if (answer := read_answer(line)))


def _last_words(child: Child) -> str:
    return " | ".join(child.last_lines[-5:])
