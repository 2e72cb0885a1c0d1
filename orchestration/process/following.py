"""How one of several processes follows its parent: over a pipe, whose other end the parent holds.

Every byte is one wish to stop. The end of the pipe is the end of the parent, however it died, and
asks as well: nobody would start these processes again, or pass a signal on to them.

Why a pipe: it works on every system, cannot be missed while the process still starts, and counts
apart from signals (`Shutdown.hear`). PR_SET_PDEATHSIG is for Linux alone, and says no more.
"""

import logging
import os
import threading

from orchestration.runtime.shutdown import Shutdown

log = logging.getLogger(__name__)


def follow_parent(fd: int, shutdown: Shutdown) -> None:
    """Have the process asked to stop by what comes over the pipe, and by its end."""
    os.set_inheritable(fd, False)  # what a handler starts has no part in this
    threading.Thread(target=_follow, args=(fd, shutdown), name="parent", daemon=True).start()


def _follow(fd: int, shutdown: Shutdown) -> None:
    asks = 0
    while os.read(fd, 1):
        asks += 1
        shutdown.hear(asks)
    log.warning("process.parent_gone")
    shutdown.hear(max(asks, 1))
