"""The report loop: batches, refusals, results that PostgreSQL cannot hold."""

import json
import threading
import time
from uuid import uuid4

import pytest
from django.db import connections

from orchestration import metrics
from orchestration.client import cancel_task, create_task
from orchestration.messaging.messages import worker_queue
from orchestration.models import WorkflowStep
from orchestration.queries.steps import StepReport, claim_steps
from orchestration.runtime.pool_size import PoolSize
from templates_registry import registry
from workers.context import Progress
from workers.executor import Execution
from workers.worker import reporting
from workers.worker.reporting import Reporter
from workers.worker.slots import Slots

pytestmark = pytest.mark.django_db(transaction=True)
NAMESPACE = "reporter"


class Settled:
    """Counts how often the reporter says that something is over."""

    count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def slots() -> Slots:
    return Slots(PoolSize("handlers", minimum=10, maximum=10, database_share=lambda: 0.0))


@pytest.fixture
def settled() -> Settled:
    return Settled()


@pytest.fixture
def reporter(slots: Slots, settled: Settled) -> Reporter:
    return Reporter(slots, worker_id="test", on_settled=settled)


@pytest.fixture
def executions(slots: Slots) -> list[Execution]:
    """Three claimed steps of one task, done but not reported."""
    template = {
        "name": "work",
        "namespace_name": NAMESPACE,
        "version": "1.0.0",
        "steps": [{"name": f"s{n}", "handler": {"callable": "anything"}} for n in range(3)],
    }
    registry.register(registry.load_text(json.dumps(template)))
    create_task("work", namespace=NAMESPACE)
    claims = claim_steps(worker_queue(NAMESPACE), worker_uuid=uuid4(), limit=3, lease_seconds=30)
    found = [Execution(each, progress=Progress(), timeout_seconds=1) for each in claims]
    for each in found:
        slots.take(each)
        slots.free_slot(each)
    return found


def success(execution: Execution, results: str = '{"success": true, "result": 1}') -> StepReport:
    claim = execution.claim
    return StepReport(claim.workflow_step_uuid, claim.state_version, success=True, results=results)


def state_of(execution: Execution) -> str:
    return WorkflowStep.objects.get(pk=execution.claim.workflow_step_uuid).state


def test_everything_finished_goes_out_in_one_call(reporter, executions, slots, settled):
    for each in executions:
        reporter.deliver(each, success(each))

    assert reporter.run_once() == 3
    assert reporter.run_once() == 0
    assert {state_of(each) for each in executions} == {"enqueued_for_orchestration"}
    assert slots.is_idle
    assert settled.count == 1


def test_a_handler_that_has_just_begun_is_waited_for(reporter, executions, slots, monkeypatch):
    monkeypatch.setattr(reporting, "GATHER_SECONDS", 30.0)  # however busy the machine is
    first, second, _ = executions
    slots.take(second)
    second.started_at = time.monotonic()
    reporter.deliver(first, success(first))

    def end() -> None:
        second.is_running = False
        reporter.deliver(second, success(second))

    threading.Timer(0.002, end).start()

    assert reporter.run_once() == 2


@pytest.mark.parametrize("ran_seconds", [60.0, 0.0])
def test_a_handler_that_takes_its_time_holds_up_no_result(reporter, executions, slots, ran_seconds):
    first, second, _ = executions
    slots.take(second)
    second.started_at = time.monotonic() - ran_seconds
    reporter.deliver(first, success(first))

    assert reporter.run_once() == 1
    assert second.is_running


def test_results_that_cannot_be_stored_are_not_about_to_be_sent(reporter, executions, slots):
    first, _, _ = executions
    reporter.deliver(first, success(first))

    assert reporter.is_about_to_send
    slots.are_reports_failing = True
    assert not reporter.is_about_to_send
    slots.are_reports_failing = False
    reporter.run_once()
    assert not reporter.is_about_to_send


def test_a_stale_report_is_counted_and_the_others_are_stored(reporter, executions, slots):
    before = metrics.STALE_REPORTS.value
    for each in executions:
        reporter.deliver(each, success(each))
    WorkflowStep.objects.filter(pk=executions[0].claim.workflow_step_uuid).update(attempts=1)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT tasker_release_steps(%s::jsonb)",
            [
                json.dumps(
                    [
                        {
                            "step_uuid": str(executions[0].claim.workflow_step_uuid),
                            "state_version": executions[0].claim.state_version,
                        }
                    ]
                )
            ],
        )

    reporter.run_once()

    assert [state_of(each) for each in executions] == [
        "enqueued",
        "enqueued_for_orchestration",
        "enqueued_for_orchestration",
    ]
    assert metrics.STALE_REPORTS.value == before + 1
    assert slots.is_idle


def test_results_of_a_cancelled_task_are_dropped(reporter, executions, slots):
    before = metrics.STALE_REPORTS.value
    cancel_task(executions[0].claim.task_uuid, actor="tester")
    for each in executions:
        reporter.deliver(each, success(each))

    reporter.run_once()

    assert metrics.STALE_REPORTS.value == before + 3
    assert {state_of(each) for each in executions} == {"cancelled"}


def test_a_result_that_postgresql_refuses_fails_its_own_step_only(reporter, executions, caplog):
    refused = '{"success": true, "result": "a\\u0000b"}'
    reporter.deliver(executions[0], success(executions[0], refused))
    for each in executions[1:]:
        reporter.deliver(each, success(each))

    reporter.run_once()

    assert [state_of(each) for each in executions] == [
        "enqueued_as_error_for_orchestration",
        "enqueued_for_orchestration",
        "enqueued_for_orchestration",
    ]
    step = WorkflowStep.objects.get(pk=executions[0].claim.workflow_step_uuid)
    assert step.results
    assert step.results["metadata"]["error_type"] == "result_not_serializable"
    assert step.results["metadata"]["retryable"] is False
    assert "step.report_refused" in caplog.text


def test_an_unfinished_execution_is_given_back(reporter, executions, slots):
    before = metrics.STEPS_RELEASED.value
    executions[0].is_unfinished = True
    reporter.deliver(executions[0], None)

    assert reporter.run_once() == 1
    assert state_of(executions[0]) == "enqueued"
    assert metrics.STEPS_RELEASED.value == before + 1
    assert not slots.is_held(executions[0])


def test_a_result_stored_by_its_handler_only_settles(reporter, executions, slots):
    executions[0].is_stored = True

    reporter.deliver(executions[0], None)

    assert reporter.run_once() == 0
    assert not slots.is_held(executions[0])
