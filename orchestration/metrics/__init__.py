"""Every instrument of Tasker, declared once with its dotted name (api-and-operations 6.2).

    metrics.STEPS_CLAIMED.add(namespace="orders", claim_method="event")

A `Look` is measured when somebody scrapes; who knows how says so with `ask`. Those marked ◆ are the
same in every process that shows them, because they are read from the database: aggregate with max.
"""

from orchestration.metrics.exposition import CONTENT_TYPE, expose
from orchestration.metrics.kinds import (
    OTHER,
    Counter,
    Gauge,
    Histogram,
    Look,
    PriorityHistogram,
    SecondsHistogram,
    instruments,
    snapshot,
)

__all__ = ["CONTENT_TYPE", "OTHER", "expose", "instruments", "snapshot"]

# ---------------------------------------------------------------- tasks
TASK_REQUESTS = Counter(
    "tasker.tasks.requests.total",
    "Calls that create a task: created, replayed, conflict, rejected, backpressure",
    "namespace",
    "task",
    "outcome",
)
TASKS_COMPLETED = Counter(
    "tasker.tasks.completions.total", "Tasks that reached complete", "namespace", "task"
)
TASKS_CANCELLED = Counter(
    "tasker.tasks.cancellations.total", "Tasks that were cancelled", "namespace", "task"
)
TASKS_FAILED = Counter(
    "tasker.tasks.failures.total",
    "Tasks that reached error or blocked_by_failures",
    "namespace",
    "task",
    "state",
)
TASKS_ACTIVE = Look("tasker.tasks.active", "Unfinished tasks ◆", "state")
TASKS_OLDEST_AGE = Look(
    "tasker.tasks.oldest_age", "Seconds that the oldest task has been in its state ◆", "state"
)
TASKS_AWAITING_ADMISSION = Look(
    "tasker.tasks.awaiting_admission",
    "Tasks that wait until their namespace has room ◆",
    "namespace",
)
TASK_DURATION = Histogram(
    "tasker.task.duration",
    "From the creation of a task to its end",
    "namespace",
    "task",
    "state",
)
TASK_INITIALIZATION = Histogram(
    "tasker.task.initialization.duration", "Creating a task", "namespace"
)
TASK_FINALIZATION = Histogram(
    "tasker.task.finalization.duration",
    "Deciding what comes next for a task: completed, reenqueued, waiting, blocked, no_action",
    "action",
)
TASK_COMPUTED_PRIORITY = PriorityHistogram(
    "tasker.task.computed_priority", "Priority with which a waiting task was let in", "age_bucket"
)
TASK_AGE_AT_DISCOVERY = SecondsHistogram(
    "tasker.task.age_at_discovery", "Age of a waiting task when it was let in"
)
DISCOVERY_SATURATION = Gauge(
    "tasker.discovery.pool_saturation", "Share of the last batch of discovery that was filled"
)

# ---------------------------------------------------------------- steps
STEPS_ENQUEUED = Counter("tasker.steps.enqueued.total", "Steps put on a queue", "namespace")
STEPS_EXECUTED = Counter("tasker.steps.executions.total", "Attempts begun", "namespace", "step")
STEPS_RETRIED = Counter(
    "tasker.steps.retries.total", "Attempts begun beyond the first", "namespace", "step"
)
STEPS_SUCCEEDED = Counter(
    "tasker.steps.successes.total", "Attempts that succeeded", "namespace", "step"
)
STEPS_FAILED = Counter(
    "tasker.steps.failures.total",
    "Attempts that failed",
    "namespace",
    "step",
    "error_type",
    "retryable",
)
STEPS_TIMED_OUT = Counter(
    "tasker.steps.timeouts.total", "Attempts that outlasted their time", "namespace", "step"
)
STEPS_CLAIMED = Counter(
    "tasker.steps.claimed.total", "Steps claimed by this worker", "namespace", "claim_method"
)
STEP_CLAIM_DURATION = Histogram(
    "tasker.step.claim.duration", "The statement that claims", "namespace", "claim_method"
)
STEPS_SUBMITTED = Counter(
    "tasker.steps.results_submitted.total",
    "Reports of this worker that were accepted: success, failure, checkpoint",
    "result_type",
)
RESULTS_PROCESSED = Counter(
    "tasker.step_results.processed.total",
    "Reports that an orchestrator dealt with: success, error, stale",
    "result_type",
)
RESULT_SUBMISSION = Histogram(
    "tasker.step_result.submission.duration", "Storing a batch of reports", "result_type"
)
RESULT_PROCESSING = Histogram(
    "tasker.step_result.processing.duration", "A report's share of its transaction", "result_type"
)
STEPS_READY = Look("tasker.steps.ready", "Steps that wait for a worker ◆", "namespace")
STEPS_ACTIVE = Look(
    "tasker.steps.active_executions", "Steps that this worker runs now", "namespace"
)
STEP_EXECUTION = Histogram(
    "tasker.step.execution.duration",
    "The handler alone: success, failure, timeout",
    "namespace",
    "step",
    "result",
)
STEP_QUEUE_WAIT = Histogram(
    "tasker.step.queue_wait.duration",
    "From the queue to the claim, of steps claimed at once",
    "namespace",
)
LEASES_EXTENDED = Counter("tasker.steps.leases_extended.total", "Leases prolonged", "namespace")
LEASES_EXPIRED = Counter(
    "tasker.steps.leases_expired.total", "Claims that this worker lost", "namespace"
)
STEPS_RELEASED = Counter("tasker.steps.released.total", "Claims given back", "namespace")
STALE_REPORTS = Counter(
    "tasker.steps.stale_results.total", "Reports refused, because the claim was lost", "namespace"
)
STEP_CHECKPOINTS = Counter("tasker.step.checkpoints.total", "Checkpoints stored", "namespace")
BATCH_WORKERS_CREATED = Counter(
    "tasker.batches.workers_created.total", "Steps created for batches", "namespace"
)
DECISIONS = Counter(
    "tasker.decisions.total",
    "Decisions: create_steps, no_branches, invalid",
    "namespace",
    "outcome",
)

# ---------------------------------------------------------------- messages
MESSAGES_SENT = Counter("tasker.messages.sent.total", "Messages sent", "queue")
MESSAGES_RECEIVED = Counter("tasker.messages.received.total", "Messages read", "queue")
MESSAGES_SEND_FAILED = Counter(
    "tasker.messages.send_failures.total", "Messages that could not be sent", "queue"
)
MESSAGES_RECEIVE_FAILED = Counter(
    "tasker.messages.receive_failures.total", "Looks into a queue that failed", "queue"
)
MESSAGES_ARCHIVED = Counter(
    "tasker.messages.archived.total", "Messages set aside: malformed, poison", "queue", "reason"
)
MESSAGE_LATENCY = Histogram(
    "tasker.message.latency", "From the sending of a message to its first reading", "queue"
)
MESSAGE_SEND = Histogram("tasker.message.send.duration", "Sending a message", "queue")
MESSAGE_RECEIVE = Histogram("tasker.message.receive.duration", "Reading a batch", "queue")
MESSAGE_ARCHIVE = Histogram("tasker.message.archive.duration", "Setting a message aside", "queue")
QUEUE_DEPTH = Look("tasker.queue.depth", "Messages ◆", "queue", "namespace")
QUEUE_VISIBLE = Look("tasker.queue.visible", "Messages that can be read ◆", "queue", "namespace")
QUEUE_ARCHIVED = Look("tasker.queue.archived", "Messages in the archive ◆", "queue", "namespace")
QUEUE_OLDEST_AGE = Look(
    "tasker.queue.oldest_message.age", "Seconds since the oldest was sent ◆", "queue", "namespace"
)

# ---------------------------------------------------------------- waking up
LISTENER_ACTIVE = Gauge("tasker.event_listener.active", "1 while notifications arrive", "mode")
LISTENER_LAG = Histogram("tasker.event_listener.lag", "From a message to its notification")
EVENT_PROCESSING = Histogram(
    "tasker.event_processing.duration", "From a notification to the end of the round", "loop"
)
LISTENER_RECONNECTIONS = Counter(
    "tasker.listener_reconnections.total", "Times that the listener came back"
)
NOTIFICATIONS_RECEIVED = Counter(
    "tasker.event_notifications_received.total",
    "Notifications: orchestration, namespace",
    "channel_kind",
)
POLLING_CYCLES = Counter("tasker.polling.cycles.total", "Rounds begun by the clock", "loop")
POLLING_MESSAGES = Counter(
    "tasker.polling.messages_processed.total", "Work found by rounds begun by the clock", "loop"
)
POLLING_ERRORS = Counter("tasker.polling.errors.total", "Rounds that met a database error", "loop")
POLLING_DURATION = Histogram("tasker.polling.duration", "Rounds begun by the clock", "loop")
POLLING_FALLBACK = Look(
    "tasker.polling_fallback.active", "1 while Hybrid goes without its listener"
)
MODE_SWITCHES = Counter(
    "tasker.mode_switches.total", "Changes of Hybrid: to_polling, to_events", "direction"
)

# ---------------------------------------------------------------- pools and protection
POOL_SIZE = Look("tasker.executor_pool.size", "Executors", "pool")
POOL_BUSY = Look("tasker.executor_pool.busy", "Executors at work", "pool")
POOL_UTILIZATION = Look("tasker.executor_pool.utilization", "Busy share of the last window", "pool")
POOL_SCALE_EVENTS = Counter(
    "tasker.executor_pool.scale_events.total", "Changes of size: up, down", "pool", "direction"
)
BREAKER_STATE = Look("tasker.circuit_breaker.state", "0 closed, 1 half-open, 2 open", "name")
BREAKER_CALLS = Counter(
    "tasker.circuit_breaker.calls.total", "Calls: success, failure, rejected", "name", "result"
)
BACKPRESSURE_LEVEL = Gauge(
    "tasker.backpressure.level", "0 normal, 1 warning, 2 critical, 3 overflow"
)
BACKPRESSURE_REJECTIONS = Counter(
    "tasker.backpressure.rejections.total",
    "New tasks turned away: queue_depth, lag, circuit_breaker",
    "reason",
)

# ---------------------------------------------------------------- repair
RECOVERY_ACTIONS = Counter(
    "tasker.recovery.actions.total",
    "Repairs: stranded_task, expired_lease, missing_message, lost_worker",
    "kind",
)
STALENESS_RUNS = Counter(
    "tasker.staleness.detection_runs.total", "Rounds of the detector", "dry_run"
)
STALENESS_DURATION = Histogram("tasker.staleness.detection.duration", "A round of the detector")
STALENESS_DETECTED = Counter("tasker.staleness.tasks_detected.total", "Stale tasks found", "state")
STALENESS_TRANSITIONED = Counter(
    "tasker.staleness.tasks_transitioned_to_error.total", "Stale tasks ended", "state"
)
DLQ_ENTRIES_CREATED = Counter("tasker.dlq.entries_created.total", "Investigations opened", "reason")
DLQ_PENDING = Look("tasker.dlq.pending_investigations", "Investigations that are open ◆", "reason")
DLQ_TIME_IN_QUEUE = SecondsHistogram(
    "tasker.dlq.time_in_queue", "From the opening of an investigation to its end", "resolution"
)
PURGED_ROWS = Counter("tasker.purge.rows.total", "Rows deleted", "table")
PURGE_DURATION = Histogram("tasker.purge.duration", "Deleting a batch")

# ---------------------------------------------------------------- domain events
EVENTS_PUBLISHED = Counter(
    "tasker.domain_events.published.total", "Events published", "namespace", "delivery_mode"
)
EVENTS_FAILED = Counter(
    "tasker.domain_events.failed.total",
    "Events that could not be published",
)
EVENTS_DROPPED = Counter(
    "tasker.domain_events.dropped.total", "Events that nobody took", "namespace", "delivery_mode"
)
EVENTS_DISPATCHED = Counter("tasker.domain_events.dispatched.total", "Events handed to subscribers")
EVENTS_WAITING = Gauge("tasker.domain_events.channel_depth", "Events that wait for subscribers")

# ---------------------------------------------------------------- database
SQL_QUERIES = Counter("tasker.sql.queries.total", "Statements of the engine", "query")
SQL_DURATION = Histogram("tasker.sql.query.duration", "A statement of the engine", "query")
TRANSACTION_DURATION = Histogram(
    "tasker.db.transaction.duration", "A transaction of the engine", "operation"
)
DB_CONNECTIONS = Look(
    "tasker.db.pool.connections", "Connections: size, used, max, waiting", "state"
)
DB_CHECKOUTS = Look("tasker.db.pool.checkouts.total", "Connections taken from the pool")
DB_CHECKOUT_DURATION = Look(
    "tasker.db.pool.checkout.duration.total", "Milliseconds that threads waited for a connection"
)
CONNECTION_ERRORS = Counter("tasker.db.connection.errors.total", "Connections refused or lost")

# ---------------------------------------------------------------- doors
HTTP_REQUESTS = Counter("tasker.http.requests.total", "Requests", "method", "route", "status")
HTTP_DURATION = Histogram("tasker.http.request.duration", "A request", "method", "route", "status")
AUTH_REQUESTS = Counter(
    "tasker.auth.requests.total", "Credentials looked at: accepted, refused", "method", "result"
)
AUTH_FAILURES = Counter("tasker.auth.failures.total", "Credentials not accepted", "reason")
PERMISSION_DENIALS = Counter(
    "tasker.permission.denials.total", "Calls without their permission", "permission"
)

# ---------------------------------------------------------------- processes
PROCESS_INFO = Look("tasker.process.info", "This process", "kind", "version", "mode")
PROCESS_UPTIME = Look("tasker.process.uptime", "Seconds since the start")
SYSTEM_HEALTH_SCORE = Look(
    "tasker.system.health_score", "From tasks completed, tasks failed and connections in use ◆"
)
PROCESSES_LIVE = Look("tasker.processes.live", "Processes heard lately ◆", "kind")
