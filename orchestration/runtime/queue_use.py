"""Counts and times what this process sends to queues and reads from them."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orchestration import metrics

log = logging.getLogger(__name__)


@contextmanager
def sending(queue: str) -> Iterator[None]:
    """Measure a statement that sends one message."""
    began = time.perf_counter()
    try:
        yield
    except Exception:
        metrics.MESSAGES_SEND_FAILED.add(queue=queue)
        raise
    metrics.MESSAGES_SENT.add(queue=queue)
    metrics.MESSAGE_SEND.observe((time.perf_counter() - began) * 1000, queue=queue)
    log.debug("message.sent", extra={"queue": queue})


@contextmanager
def receiving(queue: str) -> Iterator[None]:
    """Measure a statement that reads; what it has read is counted with `note_received`."""
    began = time.perf_counter()
    try:
        yield
    except Exception:
        metrics.MESSAGES_RECEIVE_FAILED.add(queue=queue)
        raise
    metrics.MESSAGE_RECEIVE.observe((time.perf_counter() - began) * 1000, queue=queue)


@contextmanager
def archiving(queue: str) -> Iterator[None]:
    """Measure a statement that sets a message aside."""
    began = time.perf_counter()
    yield
    metrics.MESSAGE_ARCHIVE.observe((time.perf_counter() - began) * 1000, queue=queue)


def note_received(queue: str, count: int, *, waited_ms: Sequence[float] = ()) -> None:
    """Count messages that were read, and how long those took that were read at once."""
    metrics.MESSAGE_LATENCY.observe_all(waited_ms, queue=queue)
    if count:
        metrics.MESSAGES_RECEIVED.add(count, queue=queue)
        log.debug("message.read", extra={"queue": queue, "count": count})
