"""Handlers that publish events or misbehave, a publisher that raises, subscribers that note.

The subscriber writes the names of what it hears into the file that EVENTS_FILE names.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

from workers import (
    BasePublisher,
    BaseSubscriber,
    PublisherRegistry,
    RetryableError,
    StepContext,
    SubscriberRegistry,
    step_handler,
)


class Raising(BasePublisher):
    """Never publishes anything."""

    publisher_name = "raising"

    def transform_payload(self, ctx: Any) -> dict[str, Any]:
        """Raise."""
        raise SystemExit("no event of mine")


class Noting(BaseSubscriber):
    """Appends one line for every event."""

    @classmethod
    def subscribes_to(cls) -> list[str]:
        """Everything."""
        return ["*"]

    def handle(self, event: dict[str, Any]) -> None:
        """Note name and id."""
        with open(os.environ["EVENTS_FILE"], "a") as file:
            file.write(f"{event['event_name']} {event['event_id']}\n")


class Raised(BaseSubscriber):
    """Comes before the other one, and raises."""

    @classmethod
    def subscribes_to(cls) -> list[str]:
        """Everything."""
        return ["*"]

    def handle(self, event: dict[str, Any]) -> None:
        """Raise."""
        raise SystemExit("not for me")


PublisherRegistry.instance().register(Raising())
SubscriberRegistry.instance().register(Raised)
SubscriberRegistry.instance().register(Noting)


@step_handler("eventful.second_time")
def second_time(context: StepContext) -> dict[str, int]:
    """Fail once, then succeed."""
    if context.attempt == 1:
        raise RetryableError("not yet")
    return {"attempt": context.attempt}


@step_handler("eventful.leak_threads")
def leak_threads() -> dict[str, int]:
    """Leave threads behind that never end, and keep the interpreter from ending."""
    for _ in range(3):
        threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()
    return {}


@step_handler("eventful.block_signals")
def block_signals() -> dict[str, str]:
    """Block every signal in this thread, and try to take the process's handler."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except ValueError as error:
        return {"refused": str(error)}
    return {}


@step_handler("eventful.exit")
def leave() -> None:
    """Try to end the process."""
    sys.exit(3)
