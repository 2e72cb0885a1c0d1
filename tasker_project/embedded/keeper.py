"""Two tiny processes that outlive their parent: `keep` stops the unused server, `pin` holds it up.

`python -m tasker_project.embedded.keeper keep HOME FD` inherits the lock of the keeper on FD, waits
until nobody holds the lease, and stops the server. The kernel drops the lease of a client that was
killed, so nothing a client does or fails to do leaves the server behind. `… pin HOME FD` holds the
lease until it is told to end. Both import only the standard library and wait without polling.
"""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from tasker_project.embedded import postmaster
from tasker_project.embedded.lease import open_lock

PROJECT = Path(__file__).resolve().parents[2]


def spawn(role: str, home: Path, fd: int) -> "subprocess.Popen[bytes]":
    """Start one of the two processes, detached from this one, with an inherited lock."""
    with (home / "keeper.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "tasker_project.embedded.keeper", role, str(home), str(fd)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[fd],
            start_new_session=True,
        )


def keep(home: Path, fd: int) -> None:
    """Wait until nobody uses the server, stop it, and only then let new users in."""
    lease = open_lock(home / "lease")
    fcntl.flock(lease, fcntl.LOCK_EX)
    postmaster.stop(home / "data")
    os.close(fd)  # before the lease: whoever gets the lease next must see that no keeper is left
    os.close(lease)


def pin(home: Path, fd: int) -> None:
    """Hold the lease until a signal ends this process; its id stands in the lock file."""
    lease = open_lock(home / "lease")
    fcntl.flock(lease, fcntl.LOCK_SH)
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    while True:
        signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    {"keep": keep, "pin": pin}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
