"""evaluate_step_state_readiness, and that the inlined forms of the rule agree with it."""

from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest

from orchestration.models import WorkflowStep, WorkflowStepEdge
from orchestration.states import StepState
from orchestration.testing import StepFactory, TaskFactory
from tests.sql.rows import ask, value

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", StepState.values)
@pytest.mark.parametrize("satisfied", [True, False])
@pytest.mark.parametrize("eligible", [True, False])
@pytest.mark.parametrize(("seconds", "is_due"), [(None, True), (-1, True), (0, True), (1, False)])
def test_readiness_of_one_step(clock, state, satisfied, eligible, seconds, is_due):
    due_at = None if seconds is None else clock.now + timedelta(seconds=seconds)

    ready = value(
        "SELECT evaluate_step_state_readiness(%s, %s, %s, %s::timestamptz)",
        state,
        satisfied,
        eligible,
        due_at,
    )

    can_start = state in ("pending", "waiting_for_retry")
    assert ready is (can_start and satisfied and eligible and is_due)


def test_the_set_functions_agree_with_the_documented_rule(clock):
    """Every combination of a step's own columns, under a done and under an open parent."""
    task = TaskFactory.create()
    done, still_open = (
        StepFactory.create(task=task, name=name, state=state)
        for name, state in (("done", "complete"), ("open", "in_progress"))
    )
    soon, ago = clock.now + timedelta(seconds=5), clock.now - timedelta(seconds=5)
    steps = [
        WorkflowStep(
            workflow_step_uuid=uuid4(),
            task=task,
            named_step=done.named_step,
            name=f"step_{number}",
            state=state,
            attempts=attempts,
            retryable=retryable,
            max_attempts=max_attempts,
            next_retry_at=next_retry_at,
            backoff_request_seconds=backoff,
            last_failure_at=failure,
            step_type="standard",
            priority=0,
            skippable=False,
            requeue_count=0,
        )
        for number, (
            state,
            attempts,
            retryable,
            max_attempts,
            next_retry_at,
            (backoff, failure),
            _,
        ) in enumerate(
            product(
                ("pending", "waiting_for_retry", "error", "enqueued"),
                (0, 1, 2),
                (True, False),
                (0, 2),
                (None, ago, soon),
                ((None, None), (None, ago), (60.0, ago)),
                (done, still_open),
            )
        )
    ]
    WorkflowStep.objects.bulk_create(steps)
    WorkflowStepEdge.objects.bulk_create(
        WorkflowStepEdge(from_step=(done, still_open)[number % 2], to_step=step)
        for number, step in enumerate(steps)
    )

    rows = ask(
        """
        SELECT
          ready_for_execution AS inlined,
          evaluate_step_state_readiness(
            current_state, dependencies_satisfied, retry_eligible, next_retry_at
          ) AS documented
        FROM get_step_readiness_status(%s)
        """,
        task.task_uuid,
    )
    ready_steps = value("SELECT ready_steps FROM get_task_execution_context(%s)", task.task_uuid)

    assert len(rows) == len(steps) + 2
    assert [row for row in rows if row["inlined"] is not row["documented"]] == []
    ready = sum(row["documented"] for row in rows)
    assert 0 < ready < len(steps)
    assert ready_steps == ready


@pytest.mark.parametrize("state", ["pending", "waiting_for_retry"])
@pytest.mark.parametrize(("attempts", "retryable"), [(0, False), (1, True), (1, False), (3, True)])
@pytest.mark.parametrize("seconds", [None, -1, 1])
@pytest.mark.parametrize("parent", ["complete", "cancelled"])
def test_discovery_agrees_with_the_documented_rule(
    clock, state, attempts, retryable, seconds, parent
):
    task = TaskFactory.create(state="waiting_for_dependencies")
    step = StepFactory.create(
        task=task,
        state=state,
        attempts=attempts,
        retryable=retryable,
        next_retry_at=None if seconds is None else clock.now + timedelta(seconds=seconds),
        last_failure_at=None,
        parents=[StepFactory.create(task=task, state=parent)],
    )

    documented = value(
        "SELECT ready_for_execution FROM get_step_readiness_status(%s, ARRAY[%s::uuid])",
        task.task_uuid,
        step.workflow_step_uuid,
    )
    found = ask("SELECT task_uuid FROM get_next_ready_tasks(5)")

    assert found == ([{"task_uuid": task.task_uuid}] if documented else [])
