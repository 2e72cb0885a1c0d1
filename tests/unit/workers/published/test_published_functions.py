"""The small published functions: logs, versions, and what has no counterpart."""

import logging

import pytest

import workers
from workers import EventBridge, EventPoller, HandlerRegistry, LogContext, StepExecutionSubscriber
from workers.published import native
from workers.published.log import TRACE


@pytest.mark.parametrize(
    ("function", "level"),
    [
        (workers.log_error, logging.ERROR),
        (workers.log_warn, logging.WARNING),
        (workers.log_info, logging.INFO),
        (workers.log_debug, logging.DEBUG),
        (workers.log_trace, TRACE),
    ],
)
def test_a_line_has_its_level_and_text_fields(function, level, caplog):
    with caplog.at_level(TRACE, logger="tasker.handlers"):
        function("paid 100 %", {"amount": 12, "name": "Ada"})

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("tasker.handlers", level)
    assert record.getMessage() == "paid 100 %"
    assert record.amount == "12"
    assert record.name_ == "Ada"  # not the logger's name
    assert record.pathname == __file__


def test_a_log_context_gives_its_fields(caplog):
    context = LogContext(task_uuid="t-1", operation="pay")

    with caplog.at_level(logging.INFO, logger="tasker.handlers"):
        workers.log_info("paid", context)
        workers.log_info("paid")

    first, second = caplog.records
    assert (first.task_uuid, first.operation) == ("t-1", "pay")
    assert not hasattr(first, "step_uuid")
    assert not hasattr(second, "task_uuid")


def test_versions_are_those_of_the_published_package():
    assert workers.__version__ == workers.version() == workers.get_version() == "0.1.8"
    assert "tasker-py" in workers.get_rust_version()
    assert "rustc" in workers.get_rust_version()
    assert workers.health_check() is True


def test_native_functions_say_that_there_is_nothing():
    assert workers.poll_step_events() is None
    assert workers.complete_step_event("e", {"success": True}) is False
    assert native.checkpoint_yield_step_event("e", {"cursor": 1}) is False
    assert workers.cleanup_timeouts() == 0
    assert workers.check_starvation_warnings() is False
    assert workers.get_ffi_dispatch_metrics()["pending_count"] == 0


def test_a_poller_starts_once_and_stops():
    poller = EventPoller(polling_interval_ms=5)
    poller.on_step_event(print)
    poller.on_metrics(print)
    poller.on_error(print)

    poller.start()
    running = [poller.is_running]
    with pytest.raises(RuntimeError, match="running already"):
        poller.start()
    poller.stop()
    running.append(poller.is_running)

    assert running == [True, False]
    metrics = poller.get_metrics()
    assert metrics is not None
    assert metrics.pending_count == 0


def test_a_subscriber_of_executions_starts_and_stops():
    subscriber = StepExecutionSubscriber(EventBridge(), HandlerRegistry(), "worker-1")

    subscriber.start()
    active = [subscriber.is_active]
    subscriber.stop()
    active.append(subscriber.is_active)

    assert active == [True, False]
    assert subscriber.worker_id == "worker-1"


def test_without_a_worker_every_answer_says_so():
    assert workers.is_worker_running() is False
    assert native.get_worker_status()["running"] is False
    assert workers.get_worker_status().error
    check = native.get_health_check()
    assert (check["status"], check["is_running"], check["components"]) == ("unhealthy", False, {})
    metrics = native.get_metrics()
    assert (metrics["steps_in_progress"], metrics["environment"]) == (0, "test")
    config = native.get_worker_config()
    assert (config["max_concurrent_handlers"], config["handler_timeout_ms"]) == (10, 300_000)
    for function in (workers.stop_worker, workers.transition_to_graceful_shutdown):
        with pytest.raises(workers.WorkerNotInitializedError):
            function()
    with pytest.raises(RuntimeError, match="No worker"):
        workers.poll_in_process_events()


def test_unknown_fields_of_the_bootstrap_are_refused():
    with pytest.raises(ValueError, match="Extra inputs"):
        workers.BootstrapConfig(colour="red")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="pattern"):
        workers.BootstrapConfig(log_level="loud")
