"""Whether the server of a data folder runs, and how it is stopped.

Reads `postmaster.pid` and /proc only. Used by every client and by the keeper, so it imports
nothing but the standard library.
"""

import os
import signal
import time
from pathlib import Path

STOP_SECONDS = 30.0
ORPHAN_SECONDS = 10.0
PROC = Path("/proc")


def pid_of(data: Path) -> int | None:
    """Return the process id written in `postmaster.pid`, None without one."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that was killed and not yet reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return not PROC.exists() or not (PROC / "self").exists()
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def is_ours(pid: int, data: Path) -> bool:
    """Tell whether a process is the server of this folder, and not a later owner of its number."""
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return not PROC.exists()
    return os.fsencode(data) in words


def is_running(data: Path) -> bool:
    """Tell whether the server of a data folder runs."""
    pid = pid_of(data)
    return pid is not None and is_alive(pid) and is_ours(pid, data)


def is_ready(data: Path) -> bool:
    """Tell whether the server runs and accepts connections."""
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready" and is_running(data)


def stop(data: Path, *, within: float = STOP_SECONDS) -> None:
    """Stop the server: sessions are ended, nothing is lost; at once if that takes too long."""
    pid = pid_of(data)
    if pid is None or not is_running(data):
        return
    for sign in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, sign)
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return
            time.sleep(0.01)


def forget_dead(data: Path) -> None:
    """Remove the `postmaster.pid` of a killed server, once none of its children works on the data.

    PostgreSQL removes it by itself, unless the number answers: the killed process is not reaped
    yet, or after a restart of the machine it belongs to somebody else.
    """
    pid = pid_of(data)
    if pid is None or is_running(data):
        return
    deadline = time.monotonic() + ORPHAN_SECONDS
    while _has_users(data) and time.monotonic() < deadline:
        time.sleep(0.02)
    if not _has_users(data):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _has_users(data: Path) -> bool:
    """Tell whether any process stands in the data folder, as every one of a server does."""
    for entry in PROC.glob("[0-9]*/cwd"):
        try:
            if Path(os.readlink(entry)) == data:
                return True
        except OSError:
            continue
    return False
