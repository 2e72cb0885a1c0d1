"""Who a process is: the values written into its registry row, its logs and its health answers.

Beside it the maker of ids that sort by time.
"""

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from importlib import metadata
from uuid import UUID, uuid4


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """One start of one process; a restarted process is another one."""

    kind: str
    name: str
    uuid: UUID = field(default_factory=uuid4)
    hostname: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    started_monotonic: float = field(default_factory=time.monotonic)

    @property
    def version(self) -> str:
        """The installed version of Tasker."""
        return tasker_version()

    @property
    def uptime_seconds(self) -> float:
        """Time since the process identified itself."""
        return time.monotonic() - self.started_monotonic


def identify_process(kind: str, *, name: str = "") -> ProcessIdentity:
    """Return a fresh identity; without a name it becomes host-pid-4hex."""
    return ProcessIdentity(
        kind=kind,
        name=name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
    )


def fresh_uuid7() -> UUID:
    """Return a new UUID v7: of two, the one made later sorts behind, to the millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def tasker_version() -> str:
    """Return the version of the installed distribution, `source` in a plain checkout."""
    try:
        return metadata.version("tasker")
    except metadata.PackageNotFoundError:
        return "source"
