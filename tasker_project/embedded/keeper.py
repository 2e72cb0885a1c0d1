"""Two tiny processes that outlive their parent: `keep` stops the unused server, `pin` holds it up.

`python -m tasker_project.embedded.keeper keep HOME` inherits the lock of the keeper as its standard
input, waits until nobody holds the lease, and stops the server. The kernel drops the lease of a
client that was killed, so nothing a client does or fails to do leaves the server behind.
`… pin HOME` holds the lease until it is told to end. Both import only the
standard library and never poll.
"""

import fcntl
import os
import signal
import sys
from pathlib import Path

from tasker_project.embedded import postmaster
from tasker_project.embedded.lease import open_lock

PROJECT = Path(__file__).resolve().parents[2]
LOCK = 0  # the inherited lock is the standard input


def spawn(role: str, home: Path, fd: int) -> int:
    """Start one of the two processes in a session of its own; return its process id.

    Why not `subprocess`: nobody waits for this child, and a `Popen` complains about that.
    """
    log = os.open(home / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "tasker_project.embedded.keeper", role, str(home)],
            {"PYTHONPATH": str(PROJECT)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, fd, LOCK),
                (os.POSIX_SPAWN_DUP2, log, 1),
                (os.POSIX_SPAWN_DUP2, log, 2),
            ],
            setsid=True,
        )
    finally:
        os.close(log)


def keep(home: Path) -> None:
    """Wait until nobody uses the server, stop it, and only then let new users in."""
    lease = open_lock(home / "lease")
    fcntl.flock(lease, fcntl.LOCK_EX)
    postmaster.stop(home / "data")
    os.close(LOCK)  # before the lease: whoever gets the lease next must see that no keeper is left
    os.close(lease)


def pin(home: Path) -> None:
    """Hold the lease until a signal ends this process; its id stands in the lock file."""
    lease = open_lock(home / "lease")
    fcntl.flock(lease, fcntl.LOCK_SH)
    os.ftruncate(LOCK, 0)
    os.pwrite(LOCK, str(os.getpid()).encode(), 0)
    while True:
        signal.pause()


if __name__ == "__main__":
    os.chdir("/")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    {"keep": keep, "pin": pin}[sys.argv[1]](Path(sys.argv[2]))
