"""Takes domain events one by one, for who polls instead of giving a poller a callback."""

import threading
from typing import Any

from workers.domain_events.bus import Channel, bus
from workers.domain_events.models import InProcessDomainEvent
from workers.published.observability import running_worker

_lock = threading.Lock()
_channel: Channel | None = None


def poll_in_process_events() -> dict[str, Any] | None:
    """Return the next event of this process that nobody polled yet, None without one.

    The first call opens the channel: what was published before is not in it. Raises RuntimeError
    without a running worker.
    """
    global _channel
    if running_worker() is None:
        raise RuntimeError("No worker is running in this process; nothing publishes events.")
    with _lock:
        if _channel is None:
            _channel = bus().open()
        found = _channel.take(1, within_seconds=0)
    event = found[0] if found else None
    return event.model_dump(mode="json") if isinstance(event, InProcessDomainEvent) else None
