"""Plain counters and gauges of one process, each declared once with its dotted name.

They are shown by /health/detailed and in the registry row. What they are not: an exposition format;
labels, histograms and /metrics are built on this facade.
"""

import threading


class Counter:
    """A number that only grows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._value = 0
        self._lock = threading.Lock()
        _instruments[name] = self

    @property
    def value(self) -> int:
        """The sum of everything added."""
        return self._value

    def add(self, amount: int = 1) -> None:
        """Add to the counter; safe from any thread."""
        with self._lock:
            self._value += amount


class Gauge:
    """A number as it is now."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.value: int = 0
        _instruments[name] = self

    def set(self, value: int) -> None:
        """Replace the value."""
        self.value = value


_instruments: dict[str, Counter | Gauge] = {}


def snapshot() -> dict[str, int]:
    """Return every instrument's value by its dotted name."""
    return {name: instrument.value for name, instrument in sorted(_instruments.items())}


CONNECTION_ERRORS = Counter("tasker.db.connection.errors.total")
LISTENER_ACTIVE = Gauge("tasker.event_listener.active")
LISTENER_RECONNECTIONS = Counter("tasker.listener_reconnections.total")
NOTIFICATIONS_RECEIVED = Counter("tasker.event_notifications_received.total")
POOL_SCALE_EVENTS = Counter("tasker.executor_pool.scale_events.total")
STEPS_CLAIMED = Counter("tasker.steps.claimed.total")
STEPS_SUBMITTED = Counter("tasker.steps.results_submitted.total")
STEPS_SUCCEEDED = Counter("tasker.steps.successes.total")
STEPS_FAILED = Counter("tasker.steps.failures.total")
STEPS_TIMED_OUT = Counter("tasker.steps.timeouts.total")
STALE_REPORTS = Counter("tasker.steps.stale_results.total")
STEPS_RELEASED = Counter("tasker.steps.released.total")
LEASES_EXTENDED = Counter("tasker.steps.leases_extended.total")
LEASES_LOST = Counter("tasker.steps.leases_expired.total")
ACTIVE_EXECUTIONS = Gauge("tasker.steps.active_executions")
TASKS_CREATED = Counter("tasker.tasks.created.total")
TASKS_COMPLETED = Counter("tasker.tasks.completions.total")
TASKS_BLOCKED = Counter("tasker.tasks.failures.total")
RESULTS_PROCESSED = Counter("tasker.step_results.processed.total")
MESSAGES_ARCHIVED = Counter("tasker.messages.archived.total")
RECOVERY_ACTIONS = Counter("tasker.recovery.actions.total")
STALENESS_RUNS = Counter("tasker.staleness.detection_runs.total")
STALENESS_DETECTED = Counter("tasker.staleness.tasks_detected.total")
STALENESS_TRANSITIONED = Counter("tasker.staleness.tasks_transitioned_to_error.total")
DLQ_ENTRIES_CREATED = Counter("tasker.dlq.entries_created.total")
BREAKER_STATE = Gauge("tasker.circuit_breaker.state")
BREAKER_CALLS = Counter("tasker.circuit_breaker.calls.total")
BREAKER_FAILURES = Counter("tasker.circuit_breaker.failures.total")
BREAKER_REJECTIONS = Counter("tasker.circuit_breaker.rejections.total")
BACKPRESSURE_LEVEL = Gauge("tasker.backpressure.level")
BACKPRESSURE_REJECTIONS = Counter("tasker.backpressure.rejections.total")
AUTH_REQUESTS = Counter("tasker.auth.requests.total")
AUTH_FAILURES = Counter("tasker.auth.failures.total")
PERMISSION_DENIALS = Counter("tasker.permission.denials.total")
