"""`Worker.start()`: a worker on threads of a program that is something else."""

import pytest
from django.test import override_settings

import workers
from orchestration import health
from orchestration.models import Task, TaskerProcess
from orchestration.testing import linear
from templates_registry import registry
from tests.factories import ticks
from tests.processes import wait_until
from workers import (
    BootstrapConfig,
    DefaultPublisher,
    EventBridge,
    EventNames,
    StepEventContext,
    Worker,
)

pytestmark = pytest.mark.django_db(transaction=True)
HANDLERS = ["tests.handlers.shapes"]
QUICK = {"sync_templates_on_start": False, "shutdown_grace_seconds": 5}


@pytest.fixture
def template():
    """Return a registered template of one step."""
    template = linear(1, name="alone")
    registry.register(template)
    return template


@pytest.fixture(autouse=True)
def _quick():
    """Let a worker start and stop quickly; begin without handlers, and leave none behind."""
    workers.HandlerRegistry.reset_instance()
    with override_settings(TASKER=QUICK):
        yield
        Worker.reset_instance()
        EventBridge.reset_instance()
        workers.HandlerRegistry.reset_instance()


def test_a_started_worker_runs_steps_until_it_is_stopped(template):
    before = health.current()
    counted = workers.get_metrics().steps_processed

    with Worker.start(HANDLERS, BootstrapConfig(worker_id="guest", namespace="test")) as worker:
        created = ticks.start(template)
        wait_until(lambda: workers.get_metrics().steps_processed > counted, 30)
        running = [worker.is_running]
        assert worker is Worker.instance() is Worker.start()
        assert TaskerProcess.objects.get(name="guest").status == "running"

    assert Task.objects.get(pk=created.task_uuid).state == "complete"
    assert [*running, worker.is_running] == [True, False]
    assert Worker.instance() is None
    assert not workers.is_worker_running()
    assert health.current() is before
    assert TaskerProcess.objects.get(name="guest").status == "stopped"
    worker.stop()  # again, without effect


def test_a_running_worker_tells_how_it_is(template):
    with Worker.start(HANDLERS, BootstrapConfig(worker_id="guest", namespace="test")) as worker:
        status, check = workers.get_worker_status(), workers.get_health_check()
        config = workers.get_worker_config()

        assert (worker.worker_id, worker.bootstrap_result.status) == ("guest", "started")
        assert (status.running, status.worker_core_status) == (True, "normal")
        assert status.supported_namespaces == config.supported_namespaces == ["test"]
        assert (check.is_running, check.components["database"].status) == (True, "healthy")
        assert check.python["handlers"] > 0
        with pytest.raises(workers.WorkerAlreadyRunningError):
            workers.bootstrap_worker()


def test_listeners_and_pollers_of_a_worker_hear_of_it(template):
    names: list[str] = []
    bridge = EventBridge.instance()
    bridge.subscribe(EventNames.HANDLER_REGISTERED, lambda name, handler: names.append(name))
    context = StepEventContext(
        task_uuid="t", step_uuid="s", step_name="pay", correlation_id="c", result={"amount": 3}
    )

    with Worker.start(HANDLERS, BootstrapConfig(namespace="test")):
        assert workers.poll_in_process_events() is None  # listening from here on
        assert DefaultPublisher().publish(context, "shop.paid")
        polled = workers.poll_in_process_events()
        assert workers.poll_in_process_events() is None
        wait_until(lambda: "test.echo" in names, 10)

    assert polled is not None
    assert (polled["event_name"], polled["payload"]) == ("shop.paid", {"amount": 3})


def test_a_worker_is_started_and_stopped_by_functions(template):
    workers.HandlerRegistry.instance().discover_handlers(HANDLERS[0])

    assert workers.bootstrap_worker(BootstrapConfig(namespace="test")).success
    assert workers.is_worker_running()

    assert "graceful" in workers.transition_to_graceful_shutdown()
    wait_until(lambda: not workers.is_worker_running(), 30)
    assert "stopped" in workers.stop_worker()

    assert workers.get_worker_status().running is False


def test_a_worker_that_cannot_serve_says_why():
    with pytest.raises(workers.WorkerBootstrapError, match="no_such_namespace"):
        Worker.start(config=BootstrapConfig(namespace="no_such_namespace"))

    assert Worker.instance() is None
    assert not workers.is_worker_running()
