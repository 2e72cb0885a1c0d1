"""Deadlines of running handlers: one thread for all of them.

At its deadline a synchronous handler gets `StepTimeoutError` raised in its own thread; a while
later, when that thread still has not ended, the execution is declared overdue.

The exception must never hit anything but the handler. A ticket decides that: whoever takes it first
wins, the handler's return or the watchdog. A handler thread that lost it waits until the exception
is raised, and swallows it if it was not delivered yet, before it does anything else. In particular
it takes no lock before: an exception between acquiring and entering would keep the lock for good.

Why swallowing and not taking back, which CPython offers (exception NULL): up to 3.12 that leaves
the interpreter's eval breaker set for ever. Every thread gets slower, and traced ones (coverage)
spin at the entry of their next function.
"""

import ctypes
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from workers.errors import StepTimeoutError
from workers.executor.execution import Execution, Ticket

log = logging.getLogger(__name__)
_set_async_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc


class Watch:
    """One call of a handler under a deadline (on the monotonic clock)."""

    __slots__ = (
        "_is_closed",
        "_is_settled",
        "_thread_id",
        "_ticket",
        "_watchdog",
        "deadline",
        "execution",
        "is_interruptible",
        "is_timed_out",
        "next_at",
        "on_overdue",
    )

    def __init__(
        self,
        watchdog: "Watchdog",
        execution: Execution,
        *,
        deadline: float,
        on_overdue: Callable[[Execution], None] | None = None,
    ) -> None:
        self._watchdog = watchdog
        self.execution = execution
        self.on_overdue = on_overdue
        self.deadline = self.next_at = deadline
        self.is_interruptible = False
        self.is_timed_out = False
        self._thread_id = threading.get_ident()
        self._ticket = Ticket()
        self._is_settled = False
        self._is_closed = False

    def arm(self) -> None:
        """Let the deadline interrupt this thread from now on; call it where that is caught.

        Raises `StepTimeoutError` when the deadline has passed already.
        """
        self.is_interruptible = True
        if self.is_timed_out:  # set before `expire` looks whether it may interrupt
            raise StepTimeoutError

    def expire(self) -> bool:
        """Time the call out, from the watchdog's thread; say whether it was still running."""
        if not self._ticket.take():
            return False
        self.is_timed_out = True
        self.execution.progress.cancelled = True
        if self.is_interruptible:
            self._raise_in_thread()
        self._is_settled = True
        return True

    def close(self) -> None:
        """End the watch, from the handler's thread: afterwards nothing is raised in it any more."""
        if self._is_closed:
            return
        if not self._ticket.take():
            while not self._is_settled:
                time.sleep(0.0005)
            self._swallow()
        self._is_closed = True
        self._watchdog.forget(self)

    def _raise_in_thread(self) -> None:
        _set_async_exception(ctypes.c_ulong(self._thread_id), ctypes.py_object(StepTimeoutError))

    def _swallow(self) -> None:
        """Make sure that no exception is on its way to this thread any more."""
        if not self.is_interruptible:
            return
        # One that is on its way is replaced by this one, which arrives before the next line.
        with suppress(StepTimeoutError):
            self._raise_in_thread()
            time.sleep(0)  # pragma: no cover - only where the arrival takes another bytecode


class Watchdog:
    """The thread that looks at all deadlines; starts with the first watch."""

    def __init__(self, *, grace_seconds: float, on_overdue: Callable[[Execution], None]) -> None:
        self._grace_seconds = grace_seconds
        self._on_overdue = on_overdue
        self._condition = threading.Condition()
        self._watches: set[Watch] = set()
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None
        self._is_closing = False

    def watch(
        self,
        execution: Execution,
        *,
        deadline: float,
        on_overdue: Callable[[Execution], None] | None = None,
    ) -> Watch:
        """Put the calling thread's next call under a deadline; once armed, it is interrupted.

        `on_overdue` is what happens when the thread outlasts that, if not what the executor does.
        """
        watch = Watch(
            self,
            execution,
            deadline=deadline,
            on_overdue=on_overdue,
        )
        with self._condition:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="tasker-deadlines", daemon=True
                )
                self._thread.start()
            elif deadline < self._wakes_at:
                self._condition.notify()
        return watch

    def forget(self, watch: Watch) -> None:
        """Look at a watch no longer."""
        with self._condition:
            self._watches.discard(watch)

    def close(self) -> None:
        """End the thread."""
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                if self._is_closing:
                    return
                now = time.monotonic()
                due = [each for each in self._watches if each.next_at <= now]
                if not due:
                    self._wakes_at = min(
                        (each.next_at for each in self._watches), default=float("inf")
                    )
                    forever = self._wakes_at == float("inf")
                    self._condition.wait(None if forever else self._wakes_at - now)
                    self._wakes_at = 0.0  # awake: nobody needs to notify
                    continue
            for watch in due:
                self._advance(watch)

    def _advance(self, watch: Watch) -> None:
        if not watch.is_timed_out:
            if watch.expire():
                # From now, not from the deadline: a process that was frozen comes back after both.
                watch.next_at = time.monotonic() + self._grace_seconds
            else:
                watch.next_at = float("inf")  # returned just now; it forgets itself
            return
        self.forget(watch)
        (watch.on_overdue or self._on_overdue)(watch.execution)
