"""The table of instruments against the contract (api-and-operations 6.2): names and labels."""

from orchestration import metrics
from orchestration.metrics.kinds import OTHER

# name: labels, for what is built; a label that is missing here is one that would not be closed
CONTRACT = {
    "tasker.tasks.requests.total": "namespace task outcome",
    "tasker.tasks.completions.total": "namespace task",
    "tasker.tasks.cancellations.total": "namespace task",
    "tasker.tasks.failures.total": "namespace task state",
    "tasker.tasks.active": "state",
    "tasker.tasks.oldest_age": "state",
    "tasker.tasks.awaiting_admission": "namespace",
    "tasker.task.duration": "namespace task state",
    "tasker.task.initialization.duration": "namespace",
    "tasker.task.finalization.duration": "action",
    "tasker.task.computed_priority": "age_bucket",
    "tasker.task.age_at_discovery": "",
    "tasker.discovery.pool_saturation": "",
    "tasker.steps.enqueued.total": "namespace",
    "tasker.steps.executions.total": "namespace step",
    "tasker.steps.successes.total": "namespace step",
    "tasker.steps.retries.total": "namespace step",
    "tasker.steps.timeouts.total": "namespace step",
    "tasker.steps.failures.total": "namespace step error_type retryable",
    "tasker.steps.claimed.total": "namespace claim_method",
    "tasker.step.claim.duration": "namespace claim_method",
    "tasker.steps.results_submitted.total": "result_type",
    "tasker.step_results.processed.total": "result_type",
    "tasker.step_result.submission.duration": "result_type",
    "tasker.step_result.processing.duration": "result_type",
    "tasker.steps.ready": "namespace",
    "tasker.steps.active_executions": "namespace",
    "tasker.step.execution.duration": "namespace step result",
    "tasker.steps.leases_extended.total": "namespace",
    "tasker.steps.leases_expired.total": "namespace",
    "tasker.steps.released.total": "namespace",
    "tasker.steps.stale_results.total": "namespace",
    "tasker.step.checkpoints.total": "namespace",
    "tasker.batches.workers_created.total": "namespace",
    "tasker.decisions.total": "namespace outcome",
    "tasker.messages.sent.total": "queue",
    "tasker.messages.received.total": "queue",
    "tasker.messages.send_failures.total": "queue",
    "tasker.messages.receive_failures.total": "queue",
    "tasker.messages.archived.total": "queue reason",
    "tasker.message.send.duration": "queue",
    "tasker.message.receive.duration": "queue",
    "tasker.message.archive.duration": "queue",
    "tasker.queue.depth": "queue namespace",
    "tasker.queue.visible": "queue namespace",
    "tasker.queue.archived": "queue namespace",
    "tasker.queue.oldest_message.age": "queue namespace",
    "tasker.event_listener.active": "mode",
    "tasker.event_listener.lag": "",
    "tasker.event_processing.duration": "loop",
    "tasker.event_notifications_received.total": "channel_kind",
    "tasker.listener_reconnections.total": "",
    "tasker.polling.cycles.total": "loop",
    "tasker.polling.messages_processed.total": "loop",
    "tasker.polling.errors.total": "loop",
    "tasker.polling.duration": "loop",
    "tasker.polling_fallback.active": "",
    "tasker.mode_switches.total": "direction",
    "tasker.executor_pool.size": "pool",
    "tasker.executor_pool.busy": "pool",
    "tasker.executor_pool.utilization": "pool",
    "tasker.executor_pool.scale_events.total": "pool direction",
    "tasker.circuit_breaker.state": "name",
    "tasker.circuit_breaker.calls.total": "name result",
    "tasker.backpressure.level": "",
    "tasker.backpressure.rejections.total": "reason",
    "tasker.recovery.actions.total": "kind",
    "tasker.staleness.detection_runs.total": "dry_run",
    "tasker.staleness.detection.duration": "",
    "tasker.staleness.tasks_detected.total": "state",
    "tasker.staleness.tasks_transitioned_to_error.total": "state",
    "tasker.dlq.entries_created.total": "reason",
    "tasker.dlq.pending_investigations": "reason",
    "tasker.dlq.time_in_queue": "resolution",
    "tasker.domain_events.published.total": "namespace delivery_mode",
    "tasker.domain_events.failed.total": "",
    "tasker.domain_events.dropped.total": "namespace delivery_mode",
    "tasker.domain_events.dispatched.total": "",
    "tasker.domain_events.channel_depth": "",
    "tasker.sql.queries.total": "query",
    "tasker.sql.query.duration": "query",
    "tasker.db.transaction.duration": "operation",
    "tasker.db.pool.connections": "state",
    "tasker.db.pool.checkouts.total": "",
    "tasker.db.connection.errors.total": "",
    "tasker.http.requests.total": "method route status",
    "tasker.http.request.duration": "method route status",
    "tasker.auth.requests.total": "method result",
    "tasker.auth.failures.total": "reason",
    "tasker.permission.denials.total": "permission",
    "tasker.process.info": "kind version mode",
    "tasker.process.uptime": "",
    "tasker.processes.live": "kind",
    "tasker.purge.rows.total": "table",
    "tasker.purge.duration": "",
}


def test_every_instrument_has_the_name_and_the_labels_of_the_contract():
    built = {name: " ".join(each.labels) for name, each in metrics.instruments.items()}

    assert built == CONTRACT


def test_counters_end_in_total_and_times_in_their_unit():
    for name, each in metrics.instruments.items():
        assert each.help
        assert (each.kind == "counter") == name.endswith(".total"), name
        if each.kind == "histogram" and name.endswith("duration"):
            assert each.exposed_name.endswith("_milliseconds")
    assert OTHER == "__other__"
