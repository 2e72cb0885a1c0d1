"""`EventBridge`: the signals of `workers.signals` under their published names.

While it is active, whoever subscribed is called with what happened; listeners cannot affect a step.
Only signals that somebody subscribed to are connected, because a signal without receivers costs a
worker nothing.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import is_
from typing import Any, NamedTuple

from django.dispatch import Signal

from workers import signals
from workers.of_process import OfProcess
from workers.published.observability import get_dispatch_metrics

log = logging.getLogger(__name__)

Listener = Callable[..., Any]


class EventNames:
    """The names of the events."""

    STEP_EXECUTION_RECEIVED = "step.execution.received"
    STEP_COMPLETION_SENT = "step.completion.sent"
    STEP_CHECKPOINT_YIELD = "step.checkpoint_yield.sent"
    HANDLER_REGISTERED = "handler.registered"
    HANDLER_ERROR = "handler.error"
    POLLER_METRICS = "poller.metrics"
    POLLER_ERROR = "poller.error"


class Relayed(NamedTuple):
    """A signal, what its listeners get of its arguments, and how that is documented."""

    signal: Signal
    arguments: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    schema: str


def _picked(*names: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    return lambda given: tuple(given[name] for name in names)


RELAYED: Mapping[str, Relayed] = {
    EventNames.STEP_EXECUTION_RECEIVED: Relayed(
        signals.step_execution_received, _picked("event"), "FfiStepEvent"
    ),
    EventNames.STEP_COMPLETION_SENT: Relayed(
        signals.step_completion_sent, _picked("result"), "StepExecutionResult"
    ),
    EventNames.STEP_CHECKPOINT_YIELD: Relayed(
        signals.step_checkpoint_yield_sent, _picked("checkpoint"), "dict"
    ),
    EventNames.HANDLER_REGISTERED: Relayed(
        signals.handler_registered, _picked("name", "handler_class"), "(str, type[StepHandler])"
    ),
    EventNames.HANDLER_ERROR: Relayed(
        signals.handler_error, _picked("event", "error"), "(FfiStepEvent, Exception)"
    ),
    EventNames.POLLER_METRICS: Relayed(
        signals.worker_metrics, lambda given: (get_dispatch_metrics(),), "FfiDispatchMetrics"
    ),
    EventNames.POLLER_ERROR: Relayed(signals.worker_error, _picked("error"), "Exception"),
}


@dataclass
class _Subscription:
    listener: Listener
    is_once: bool = False


class EventBridge(OfProcess):
    """Calls those who subscribed to a name."""

    def __init__(self) -> None:
        """Begin inactive, with nobody subscribed."""
        self._subscriptions: dict[str, list[_Subscription]] = {}
        self._lock = threading.RLock()
        self._is_active = False

    @classmethod
    def reset_instance(cls) -> None:
        """Stop the bridge of this process and forget it with all its listeners."""
        former = cls.replace_instance(None)
        if former is not None:
            former.stop()

    @property
    def is_active(self) -> bool:
        """It carries events."""
        return self._is_active

    @property
    def event_schema(self) -> dict[str, str]:
        """What the listeners of each name are called with."""
        return {name: relayed.schema for name, relayed in RELAYED.items()}

    def start(self) -> None:
        """Carry events from now on."""
        with self._lock:
            self._is_active = True
            for name in self._subscriptions:
                self._connect(name)

    def stop(self) -> None:
        """Carry no more events; whoever subscribed stays subscribed."""
        with self._lock:
            self._is_active = False
            for name in self._subscriptions:
                self._disconnect(name)

    def subscribe(self, event: str, handler: Listener) -> None:
        """Call this with every event of a name."""
        self._add(event, _Subscription(handler))

    def subscribe_once(self, event: str, handler: Listener) -> None:
        """Call this with the next event of a name only."""
        self._add(event, _Subscription(handler, is_once=True))

    def unsubscribe(self, event: str, handler: Listener) -> None:
        """Call this no more; without effect when it was not subscribed."""
        self._remove(event, lambda each: each.listener == handler)

    def publish(self, event: str, *args: Any, **kwargs: Any) -> None:
        """Call the listeners of a name, in the order of their subscription."""
        if not self._is_active:
            log.warning("event_bridge.dropped", extra={"event": event, "because": "not started"})
            return
        with self._lock:
            called = list(self._subscriptions.get(event, ()))
        for each in called:
            if each.is_once:
                self._remove(event, partial(is_, each))
            try:
                each.listener(*args, **kwargs)
            except Exception:
                log.exception("event_bridge.listener_failed", extra={"event": event})

    def listener_count(self, event: str) -> int:
        """Return how many listen to a name."""
        return len(self.listeners(event))

    def listeners(self, event: str) -> list[Listener]:
        """Return who listens to a name."""
        return [each.listener for each in self._subscriptions.get(event, ())]

    def _add(self, event: str, subscription: _Subscription) -> None:
        with self._lock:
            self._subscriptions.setdefault(event, []).append(subscription)
            if self._is_active:
                self._connect(event)

    def _remove(self, event: str, is_meant: Callable[[_Subscription], bool]) -> None:
        with self._lock:
            kept = [each for each in self._subscriptions.get(event, ()) if not is_meant(each)]
            if kept:
                self._subscriptions[event] = kept
            elif self._subscriptions.pop(event, None):
                self._disconnect(event)

    def _connect(self, event: str) -> None:
        if event in RELAYED:
            RELAYED[event].signal.connect(
                partial(self._relay, event), weak=False, dispatch_uid=(id(self), event)
            )

    def _disconnect(self, event: str) -> None:
        if event in RELAYED:
            RELAYED[event].signal.disconnect(dispatch_uid=(id(self), event))

    def _relay(self, name: str, /, **given: Any) -> None:
        self.publish(name, *RELAYED[name].arguments(given))
