"""A Redis of the run's own for Celery: on a unix socket, in memory only, gone afterwards."""

import shutil
import time
from pathlib import Path

from tasker_project.bench.peers.errors import PeerError
from tasker_project.processes import Child, ProcessGroup

PROGRAM = "redis-server"
QUIET = ("--port", "0", "--save", "", "--appendonly", "no", "--loglevel", "warning")
START_SECONDS = 10.0
LOOK_SECONDS = 0.05


def start_redis(group: ProcessGroup, folder: Path) -> str:
    """Start an empty server among the processes that are measured; return its address."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise PeerError(f"needs {PROGRAM} in PATH")
    socket = folder / "redis.sock"
    socket.unlink(missing_ok=True)
    arguments = [program, "--unixsocket", str(socket), "--dir", str(folder), *QUIET]
    child = group.start("redis", arguments, log_file=folder / "redis.log")
    _wait(child, socket)
    return f"redis+socket://{socket}"


def _wait(child: Child, socket: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not socket.exists():
        if child.exit_code is not None or time.monotonic() > deadline:
            raise PeerError(f"{PROGRAM} did not start: {' | '.join(child.last_lines)}")
        time.sleep(LOOK_SECONDS)
