"""Who uses the server: shared locks on files, which the kernel drops with their process.

`lease`: held shared by every process that uses the server; whoever gets it alone may stop it.
`starting`: held while the server is started. `keeper`: held by the keeper process. `pinned`: held
by the process that keeps the server up after `manage.py pg start`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open a lock file, made if needed, readable by its owner only."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_exclusive(fd: int) -> bool:
    """Take a lock alone if nobody holds it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock alone inside the block, waiting for it."""
    fd = open_lock(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def is_held(path: Path) -> bool:
    """Tell whether any process holds a lock."""
    fd = open_lock(path)
    try:
        return not try_exclusive(fd)
    finally:
        os.close(fd)
