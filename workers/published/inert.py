"""What a handler's worker loop asked of the native part, and what has no counterpart here.

The worker calls handlers by itself, so nobody has to poll for steps or to send results: these
functions and classes start, stop, and say that there is nothing to do.
"""

from collections.abc import Callable
from typing import Any

from workers.published.event_bridge import EventBridge
from workers.published.models import FfiDispatchMetrics
from workers.published.observability import get_dispatch_metrics
from workers.registry import HandlerRegistry


def poll_step_events() -> dict[str, Any] | None:
    """Return None: steps reach their handlers without being polled for."""
    return None


def complete_step_event(event_id: str, completion_data: dict[str, Any]) -> bool:
    """Return False: nobody waits for this result, the worker reports what a handler returns."""
    return False


def checkpoint_yield_step_event(event_id: str, checkpoint_data: dict[str, Any]) -> bool:
    """Return False: a checkpoint is stored when a handler returns it."""
    return False


def cleanup_timeouts() -> int:
    """Return 0: a step that runs into its timeout is reported by the worker's watchdog."""
    return 0


def check_starvation_warnings() -> bool:
    """Return False: no step waits in this process without a slot."""
    return False


def get_ffi_dispatch_metrics() -> dict[str, Any]:
    """Return how many claimed steps wait for a thread."""
    return get_dispatch_metrics().model_dump()


class _Switch:
    """Something that only knows whether it was started."""

    def __init__(self) -> None:
        self._is_on = False

    def _turn_on(self) -> None:
        if self._is_on:
            raise RuntimeError(f"{type(self).__name__} is running already; stop it first.")
        self._is_on = True


class EventPoller(_Switch):
    """Polls for nothing: the worker hands steps to their handlers."""

    DEFAULT_POLL_INTERVAL_MS = 10
    DEFAULT_STARVATION_CHECK_INTERVAL = 100
    DEFAULT_CLEANUP_INTERVAL = 1000

    def __init__(
        self,
        polling_interval_ms: int = DEFAULT_POLL_INTERVAL_MS,
        starvation_check_interval: int = DEFAULT_STARVATION_CHECK_INTERVAL,
        cleanup_interval: int = DEFAULT_CLEANUP_INTERVAL,
    ) -> None:
        """Keep the three intervals, for whoever reads them."""
        super().__init__()
        self.polling_interval_ms = polling_interval_ms
        self.starvation_check_interval = starvation_check_interval
        self.cleanup_interval = cleanup_interval

    def on_step_event(self, callback: Callable[..., None]) -> None:
        """Take a callback for steps; it is never called."""

    def on_metrics(self, callback: Callable[[FfiDispatchMetrics], None]) -> None:
        """Take a callback for metrics; it is never called."""

    def on_error(self, callback: Callable[[Exception], None]) -> None:
        """Take a callback for errors; it is never called."""

    def start(self) -> None:
        """Note that it was started; raises RuntimeError when it is running."""
        self._turn_on()

    def stop(self, timeout: float = 5.0) -> None:
        """Note that it was stopped."""
        self._is_on = False

    @property
    def is_running(self) -> bool:
        """It was started and not stopped."""
        return self._is_on

    def get_metrics(self) -> FfiDispatchMetrics | None:
        """Return how many claimed steps wait for a thread."""
        return get_dispatch_metrics()


class StepExecutionSubscriber(_Switch):
    """Subscribes to nothing: the worker calls handlers itself."""

    def __init__(
        self, event_bridge: EventBridge, handler_registry: HandlerRegistry, worker_id: str
    ) -> None:
        """Keep what it would have needed."""
        super().__init__()
        self._event_bridge = event_bridge
        self._handler_registry = handler_registry
        self._worker_id = worker_id

    def start(self) -> None:
        """Note that it was started."""
        self._is_on = True

    def stop(self) -> None:
        """Note that it was stopped."""
        self._is_on = False

    @property
    def is_active(self) -> bool:
        """It was started and not stopped."""
        return self._is_on

    @property
    def worker_id(self) -> str:
        """The name it was given."""
        return self._worker_id
