"""The wish to stop: the first SIGTERM or SIGINT asks, the second leaves, SIGUSR1 asks for status.

A process with a parent hears the same from it (`orchestration.process.following`). Both ways are
counted apart and the greater count holds: a signal to a whole group reaches a child directly and
through its parent, and is one wish all the same.

A handler only sets plain attributes; the byte that wakes the main thread is written by the
interpreter's own C code (`set_wakeup_fd`), which works whichever thread received the signal.

Why no `threading.Event`: a handler runs between two bytecodes of the main thread, also while that
thread holds the event's lock; setting the event there would wait for ever.
"""

import os
import select
import signal
from contextlib import suppress
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """One per process; the main thread waits on it, everything else may ask it."""

    def __init__(self) -> None:
        self.asks = 0
        self._heard = 0
        self._is_status_wanted = False
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        os.set_blocking(self._write_fd, False)
        self._previous: dict[int, object] = {}

    @property
    def is_asked(self) -> bool:
        """Somebody wishes the process to end in order."""
        return self.insistence > 0

    @property
    def is_forced(self) -> bool:
        """Somebody wishes it to end now."""
        return self.insistence > 1

    @property
    def insistence(self) -> int:
        """How often it was asked."""
        return max(self.asks, self._heard)

    def install(self) -> None:
        """Take over the signals; main thread only."""
        for number in STOP_SIGNALS:
            self._previous[number] = signal.signal(number, self._on_stop)
        self._previous[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._on_status)
        signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)

    def uninstall(self) -> None:
        """Put back what `install` found and close the pipe."""
        if self._previous:
            signal.set_wakeup_fd(-1)
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._previous.clear()
        os.close(self._read_fd)
        write_fd, self._write_fd = self._write_fd, -1  # a thread may still notify: into nothing
        os.close(write_fd)

    def ask(self) -> None:
        """Ask the process to end, from any thread."""
        self.asks += 1
        self.notify()

    def hear(self, asks: int) -> None:
        """Note that the parent has asked so often by now; from any thread."""
        self._heard = max(self._heard, asks)
        self.notify()

    def notify(self) -> None:
        """Wake the main thread so that it looks around; a full pipe will wake it anyway."""
        with suppress(OSError):
            os.write(self._write_fd, b".")

    def wait(self, timeout_seconds: float | None = None) -> None:
        """Return when something was asked or notified, or the time is up; main thread only."""
        readable, _, _ = select.select([self._read_fd], [], [], timeout_seconds)
        if readable:
            with suppress(BlockingIOError):
                os.read(self._read_fd, 4096)

    def take_status_wish(self) -> bool:
        """Return whether a status line was asked for since the last call."""
        wanted, self._is_status_wanted = self._is_status_wanted, False
        return wanted

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self.asks += 1
        if self.is_forced:
            # Leaving still gives claims back; who signals a third time means the kernel's answer.
            for each in STOP_SIGNALS:
                signal.signal(each, signal.SIG_DFL)

    def _on_status(self, number: int, frame: FrameType | None) -> None:
        self._is_status_wanted = True
