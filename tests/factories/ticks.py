"""One turn of each process, called by hand: a worker's claim and report, an orchestrator's round.

What a process does in its loops is done here once, in the test's own thread, through the same
functions; so a test decides what happens first.
"""

import json
from typing import Any
from uuid import UUID, uuid4

from orchestration.client import create_task
from orchestration.lifecycle import due_work, result_processor
from orchestration.lifecycle.task_initializer import CreatedTask
from orchestration.messaging.messages import worker_queue
from orchestration.queries import invariants
from orchestration.queries.steps import Claim, StepReport, claim_steps, report_steps
from orchestration.queries.tasks import Move
from orchestration.testing import linear
from templates_registry import registry
from templates_registry.schema import TaskTemplate

ORCHESTRATOR = uuid4()
WORKER = uuid4()
MOVE = Move(f"system:{ORCHESTRATOR}", processor_uuid=ORCHESTRATOR)


def start(
    template: TaskTemplate, context: dict[str, Any] | None = None, **rest: Any
) -> CreatedTask:
    """Register a template and create a task of it."""
    registered = registry.register(template)
    assert registered.named_task_uuid, (registered.message, registered.findings)
    return create_task(template.name, namespace=template.namespace_name, context=context, **rest)


def claim(*, limit: int = 10, namespace: str = "test", worker: UUID = WORKER) -> list[Claim]:
    """Claim what is in the queue, in the order of the steps' names."""
    queue = worker_queue(namespace)
    found = claim_steps(queue, worker_uuid=worker, limit=limit, lease_seconds=30)
    return sorted(found, key=lambda each: each.name)


def success(claimed: Claim, result: Any = None) -> StepReport:
    """Return the report of a handler that succeeded."""
    results = {"success": True, "status": "completed", "result": result or {}, "metadata": {}}
    return StepReport(claimed.workflow_step_uuid, claimed.state_version, True, json.dumps(results))


def failure(claimed: Claim, *, retryable: bool = True, **orchestration: Any) -> StepReport:
    """Return the report of a handler that failed; keywords go to `orchestration_metadata`."""
    results = {
        "success": False,
        "status": "failed",
        "result": {},
        "metadata": {"retryable": retryable, "error_type": "handler_error"},
        "error": {"message": "no", "error_type": "handler_error", "retryable": retryable},
        "orchestration_metadata": orchestration,
    }
    return StepReport(claimed.workflow_step_uuid, claimed.state_version, False, json.dumps(results))


def report(*reports: StepReport) -> list[bool]:
    """Send reports in one call; tell for each whether it was accepted."""
    verdicts = report_steps(reports)
    return [verdicts[each.step_uuid].accepted for each in reports]


def process(*, limit: int = 50) -> int:
    """Process waiting results as an orchestrator does."""
    return result_processor.process_results(limit=limit, move=MOVE)


def run_step(result: Any = None, **claiming: Any) -> Claim:
    """Claim one step, succeed, and let the result be processed."""
    (claimed,) = claim(limit=1, **claiming)
    assert report(success(claimed, result)) == [True]
    process()
    return claimed


def fail_step(*, retryable: bool = True, **orchestration: Any) -> Claim:
    """Claim one step, fail, and let the result be processed."""
    (claimed,) = claim(limit=1)
    assert report(failure(claimed, retryable=retryable, **orchestration)) == [True]
    process()
    return claimed


def blocked(template: TaskTemplate | None = None) -> CreatedTask:
    """Return a task whose first step failed for good."""
    created = start(template or linear(2))
    fail_step(retryable=False)
    return created


def run_to_the_end() -> None:
    """Run whatever is in the queue until nothing is left; due retries are started."""
    while claimed := claim() or (due_work.start_due_retries(move=MOVE) and claim()):
        report(*map(success, claimed))
        process()


def assert_invariants() -> None:
    """Fail when one of the invariants of engine.md 4.5 does not hold."""
    found = invariants.violations()
    assert not found, found
