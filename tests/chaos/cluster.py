"""Orchestrators, workers and the web process of a run, and what is done to them.

The commands are those of production; every start of a process has a log file of its own. The
settings are short, so that a minute holds many leases, but in realistic proportion.
"""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasker_project.local_stack import web_command
from tasker_project.processes import Child, ProcessGroup, free_port, manage
from tests.chaos.member import Member
from tests.chaos.plan import BY_MESSAGE, ORCHESTRATORS, WORKERS
from tests.chaos.workflows import NAMESPACES

LEASE_SECONDS = 6
HEARTBEAT_SECONDS = 2
SWEEP_SECONDS = 5
SLOTS = 6
GRACE_SECONDS = 5

SETTINGS = {
    "TASKER_LEASE_SECONDS": str(LEASE_SECONDS),
    "TASKER_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
    "TASKER_SWEEP_SECONDS": str(SWEEP_SECONDS),
    "TASKER_STRANDED_SECONDS": str(SWEEP_SECONDS),
    "TASKER_SHUTDOWN_GRACE_SECONDS": str(GRACE_SECONDS),
    # Eight processes share the 200 connections of the server.
    "TASKER_DB_POOL_SIZE": "2-16",
    "TASKER_POOL_RESULTS": "2-4",
    "TASKER_POOL_REQUESTS": "1-2",
    "TASKER_POOL_DISCOVERY": "1-2",
    "TASKER_MAX_CONCURRENT_HANDLERS": str(SLOTS),
}
"""What differs from the defaults."""

DEFAULTS = {
    "TASKER_ENV": "development",
    "DJANGO_DEBUG": "false",
    "TASKER_AUTH_ENABLED": "true",
    "TASKER_ORCHESTRATOR_POLL_MS": "10000",
    "TASKER_WORKER_POLL_MS": "5000",
    "TASKER_LOG_LEVEL": "INFO",
    "TASKER_LOG_FORMAT": "json",
    "TASKER_MAX_BACKOFF_SECONDS": "300",
}
"""Defaults in place of the values of the development profile."""

# without a credential the API serves development with DEBUG alone
OPEN_API = {"DJANGO_DEBUG": "true", "TASKER_AUTH_ENABLED": "false"}

READY_SECONDS = 40.0
EVENT = re.compile(
    r'"event": "(step\.report_stale|step\.released|lease\.expired|task\.recovered|worker\.lost'
    r'|message\.malformed|message\.poison|results\.batch_failed|database\.lost)"'
)
LOOK_SECONDS = 0.05


@dataclass
class Kill:
    """A kill -9 of a worker: what recovery is measured from."""

    name: str
    pid: int
    mode: str
    at: float  # seconds of the epoch


class Cluster:
    """All processes of a run. Use it from the main thread, with whose end Linux ends them."""

    def __init__(self, group: ProcessGroup, *, url: str, logs: Path, broken: str = "") -> None:
        self._group = group
        self._logs = logs
        self._environment = {**DEFAULTS, **SETTINGS, "DATABASE_URL": url, "CHAOS_BREAK": broken}
        self._environment["DATABASE_DIRECT_URL"] = ""
        self._port = free_port(18_080)
        self.members = {
            name: Member(name, mode) for name, mode in {**ORCHESTRATORS, **WORKERS}.items()
        }
        self.web = Member("web", "web")
        self.kills: list[Kill] = []
        self.problems: list[str] = []

    @property
    def api(self) -> str:
        """The address of the REST API."""
        return f"http://127.0.0.1:{self._port}/v1"

    def start_all(self) -> None:
        """Start everything and wait until all are ready."""
        for member in [self.web, *self.members.values()]:
            self.start(member)
        self.wait_ready(list(self.members.values()))

    def start(self, member: Member) -> None:
        """Start the next process of a member."""
        log_file = member.start_log(self._logs)
        environment = {**self._environment, **(OPEN_API if member is self.web else {})}
        if member.name in BY_MESSAGE:
            environment["TASKER_INLINE_ADVANCE"] = "false"
        member.child = self._group.start(
            log_file.stem, self._command(member), environment=environment, log_file=log_file
        )

    def kill(self, member: Member) -> None:
        """End a process as a machine that loses power would."""
        child = _child_of(member)
        at = time.time()
        child.kill()
        child.stop()
        if member.kind == "worker":
            self.kills.append(Kill(child.name, child.pid, member.mode, at))
        self._forget(member)

    def pause(self, member: Member) -> None:
        """Freeze a process."""
        os.kill(_child_of(member).pid, signal.SIGSTOP)
        member.is_paused = True

    def resume(self, member: Member) -> None:
        """Let a frozen process go on, as if nothing had happened."""
        os.kill(_child_of(member).pid, signal.SIGCONT)
        member.is_paused = False

    def ask(self, member: Member) -> None:
        """Ask a process to stop; `look` notes its end."""
        _child_of(member).ask()
        member.is_stopping = True

    def look(self) -> list[Member]:
        """Return members whose process has ended; one that nobody asked to is a problem."""
        ended = []
        for member in [self.web, *self.members.values()]:
            child = member.child
            if child is None or child.exit_code is None:
                continue
            if not member.is_stopping or child.exit_code != 0:
                last = "\n    ".join(child.last_lines[-15:])
                self.problems.append(
                    f"{child.name} ended with code {child.exit_code}, "
                    f"{'asked' if member.is_stopping else 'not asked'} to:\n    {last}"
                )
            child.stop()
            self._forget(member)
            ended.append(member)
        return ended

    def wait_ready(self, members: Sequence[Member]) -> None:
        """Wait until processes serve; raise what they said when one does not."""
        deadline = time.monotonic() + READY_SECONDS
        for member in members:
            while not member.has_started:
                child = _child_of(member)
                if child.exit_code is not None or time.monotonic() > deadline:
                    said = "\n".join(child.last_lines)
                    raise RuntimeError(f"{child.name} does not serve; it said:\n{said}")
                time.sleep(LOOK_SECONDS)

    def count_events(self) -> dict[str, int]:
        """Return how often the engine logged what shows that faults met it."""
        found: Counter[str] = Counter()
        for member in self.members.values():
            for log_file in member.logs:
                with log_file.open(errors="replace") as lines:
                    found.update(EVENT.findall("".join(filter(EVENT.search, lines))))
        return dict(sorted(found.items()))

    def last_words(self, *, lines: int = 12) -> Iterator[str]:
        """Yield the last lines of the present processes."""
        for member in [self.web, *self.members.values()]:
            if member.child is not None:
                yield f"--- {member.child.name}"
                yield from (f"    {line[:400]}" for line in member.child.last_lines[-lines:])

    def _forget(self, member: Member) -> None:
        if member.child in self._group.children:
            self._group.children.remove(member.child)
        member.child = None
        member.is_stopping = member.is_paused = False

    def _command(self, member: Member) -> list[str]:
        common = ["--http-port", "0", "--mode", member.mode]
        if member.kind == "orchestrator":
            return manage("run_orchestrator", *common)
        if member.kind == "worker":
            own = ["--worker-id", f"{member.name}.{member.starts}", "--slots", f"{SLOTS}-{SLOTS}"]
            handlers = ["--no-sync", "--handlers", "tests.chaos.handlers"]
            return manage("run_worker", *NAMESPACES, *common, *own, *handlers)
        return web_command(f"127.0.0.1:{self._port}")


def session_pattern(member: Member) -> str:
    """Return the LIKE pattern of the names under which a member's sessions are listed."""
    child = _child_of(member)
    if member.kind == "worker":
        return f"tasker:worker:{child.name}%"
    return f"tasker:orchestrator:%-{child.pid}-%"


def described() -> Mapping[str, str]:
    """Return the settings and the processes, for the report."""
    return {**SETTINGS, **ORCHESTRATORS, **WORKERS}


def _child_of(member: Member) -> Child:
    if member.child is None:
        raise RuntimeError(f"{member.name} does not run.")
    return member.child
