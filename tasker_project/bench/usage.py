"""What processes use of the machine, read from /proc: CPU seconds and resident memory.

A server on another machine, or a system without /proc, gives nothing instead of wrong figures.
"""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU time a process has used so far, user and system."""
    fields = _stat(pid)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / TICKS


def family_cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and those it started, with those that have ended since.

    Who has ended counts from the moment its parent took notice of it.
    """
    stats = [_stat(each) for each in descendants(pid)]
    return sum(sum(map(int, fields[11:15])) for fields in stats if fields) / TICKS


def resident_mb(pid: int) -> float | None:
    """Return the resident memory of a process in MB (10^6 bytes)."""
    fields = _stat(pid)
    return None if fields is None else int(fields[21]) * PAGE_BYTES / 1e6


def is_postgres(pid: int) -> bool:
    """Tell whether a process of this machine is one of PostgreSQL's."""
    try:
        return (PROC / str(pid) / "comm").read_text().strip() in ("postgres", "postmaster")
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """Return a process and those it started."""
    found = [pid]
    for each in found:
        try:
            text = (PROC / str(each) / "task" / str(each) / "children").read_text()
        except OSError:
            continue
        found += [int(child) for child in text.split()]
    return found


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat after the name, which may hold blanks itself."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
