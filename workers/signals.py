"""Django signals of a worker process; receivers cannot affect a step.

They are announced after the commit of what they tell. In a worker one thread of its own sends them
(`start_sending`), so that a receiver which is slow or hangs keeps no step waiting; at most
`MAX_WAITING` wait, the oldest is dropped. Elsewhere, as in a test that runs steps in its own
thread, they are sent at once.

Without a receiver an announcement costs one look: its arguments are made only when somebody
listens.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from django.db import connections
from django.dispatch import Signal

log = logging.getLogger(__name__)

step_execution_received = Signal()  # event: FfiStepEvent
step_completion_sent = Signal()  # event: FfiStepEvent, result: StepExecutionResult
step_checkpoint_yield_sent = Signal()  # event: FfiStepEvent, checkpoint: dict
handler_registered = Signal()  # name, handler_class
handler_error = Signal()  # event: FfiStepEvent, error: BaseException
worker_metrics = Signal()  # metrics: dict of dotted names
worker_error = Signal()  # error: BaseException
domain_event = Signal()  # event: InProcessDomainEvent, of the modes fast and broadcast

MAX_WAITING = 1000

Arguments = Callable[[], Mapping[str, Any]]


def announce(signal: Signal, sender: object, arguments: Arguments) -> None:
    """Send a signal to whoever listens; never raises. `arguments` is called if anybody does."""
    if not signal.receivers or not signal.has_listeners(sender):
        return
    if _sending is None:
        _send(signal, sender, arguments)
    else:
        _sending.put(signal, sender, arguments)


def _send(signal: Signal, sender: object, arguments: Arguments) -> None:
    try:
        for receiver, answer in signal.send_robust(sender, **arguments()):
            if isinstance(answer, Exception):
                extra = {"receiver": repr(receiver), "error": repr(answer)}
                log.warning("signal.receiver_failed", extra=extra)
    except BaseException:  # a receiver may raise SystemExit
        log.exception("signal.receiver_failed")


class Sending:
    """The thread that sends the signals of one process."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Signal, object, Arguments]] = deque(maxlen=MAX_WAITING)
        self._is_wanted = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="tasker-signals", daemon=True)
        self._thread.start()

    def put(self, signal: Signal, sender: object, arguments: Arguments) -> None:
        """Queue a signal; from any thread."""
        with self._is_wanted:
            self._waiting.append((signal, sender, arguments))
            self._is_wanted.notify()

    def close(self, *, within_seconds: float) -> None:
        """Send what waits and end the thread; one that hangs is left behind."""
        with self._is_wanted:
            self._is_closing = True
            self._is_wanted.notify()
        self._thread.join(within_seconds)

    def _run(self) -> None:
        while True:
            with self._is_wanted:
                while not self._waiting:
                    if self._is_closing:
                        return
                    self._is_wanted.wait()
                signal, sender, arguments = self._waiting.popleft()
            _send(signal, sender, arguments)
            connections.close_all()  # those of receivers; they go back to the pool


_sending: Sending | None = None


def start_sending() -> None:
    """Send the signals of this process from a thread of their own."""
    global _sending
    if _sending is None:
        _sending = Sending()


def stop_sending(*, within_seconds: float = 1.0) -> None:
    """Send what waits, then send at once again."""
    global _sending
    sending, _sending = _sending, None
    if sending is not None:
        sending.close(within_seconds=within_seconds)
