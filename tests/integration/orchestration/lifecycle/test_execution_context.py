"""The execution context while steps are completed by hand: scenarios A15 and A16."""

from uuid import UUID

import pytest

from orchestration.client import get_context
from orchestration.errors import NotFoundError
from orchestration.models import WorkflowStep
from orchestration.queries.readiness import step_readiness
from orchestration.testing import dag, diamond, linear, tree
from tests.factories import ticks
from tests.factories.histories import task_history

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting():
    """Return a function that creates a task which is not started."""

    def create(template):
        return ticks.start(template, start=False).task_uuid

    return create


def complete(*names):
    """Complete steps by hand, without asking what comes next for their task."""
    for step in WorkflowStep.objects.filter(name__in=names):
        step.complete_manually()
        step.record(actor="somebody")


def numbers(task_uuid):
    context = get_context(task_uuid)
    return context.total_steps, context.completed_steps, context.ready_steps


def ready(task_uuid):
    return {step.name for step in step_readiness([task_uuid]) if step.ready_for_execution}


SHAPES = {
    "linear": (
        linear(4),
        [["step_1"], ["step_2"], ["step_3"], ["step_4"]],
        [(4, 0, 1), (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 0)],
    ),
    "diamond": (
        diamond(),
        [["start"], ["left"], ["right"], ["join"]],
        [(4, 0, 1), (4, 1, 2), (4, 2, 1), (4, 3, 1), (4, 4, 0)],
    ),
    "tree": (
        tree(3),
        [
            ["node_1"],
            ["node_2", "node_3"],
            ["node_4", "node_5", "node_6", "node_7"],
            ["converge"],
        ],
        [(8, 0, 1), (8, 1, 2), (8, 3, 4), (8, 7, 1), (8, 8, 0)],
    ),
    "dag": (
        dag(),
        [["init"], ["left", "right"], ["validate", "transform", "analyze"], ["finalize"]],
        [(7, 0, 1), (7, 1, 2), (7, 3, 3), (7, 6, 1), (7, 7, 0)],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_counts_follow_the_steps_that_are_complete(name, waiting):
    template, rounds, expected = SHAPES[name]
    task_uuid = waiting(template)

    counts = [numbers(task_uuid)]
    for names in rounds:
        assert set(names) <= ready(task_uuid)
        complete(*names)
        counts.append(numbers(task_uuid))

    assert counts == expected
    assert task_history(task_uuid) == "P"
    context = get_context(task_uuid)
    assert (context.execution_status, context.recommended_action) == (
        "all_complete",
        "finalize_task",
    )
    assert context.completion_percentage == 100
    assert context.health_status == "healthy"


def test_failed_step_blocks_what_depends_on_it(waiting):
    task_uuid = waiting(linear(4))
    complete("step_1")
    failed = WorkflowStep.objects.get(name="step_2")
    failed.fail()
    failed.record(actor="somebody")

    context = get_context(task_uuid)

    assert numbers(task_uuid) == (4, 1, 0)
    assert (context.execution_status, context.recommended_action) == (
        "blocked_by_failures",
        "handle_failures",
    )
    assert (context.failed_steps, context.blocked_steps, context.pending_steps) == (1, 1, 2)
    assert context.health_status == "blocked"
    steps = {step.name: step for step in step_readiness([task_uuid])}
    for name in ("step_3", "step_4"):
        assert steps[name].current_state == "pending"
        assert not steps[name].dependencies_satisfied


def test_branch_that_waits_for_its_retry_is_ready_when_it_is_due(waiting, clock):
    task_uuid = waiting(diamond())
    complete("start", "left")
    branch = WorkflowStep.objects.get(name="right")
    branch.wait_for_retry()
    branch.record(actor="somebody")
    WorkflowStep.objects.filter(name="right").update(next_retry_at=clock.now)
    clock.advance(-10)

    before = (numbers(task_uuid), get_context(task_uuid).execution_status)
    clock.advance(11)

    assert before == ((4, 2, 0), "waiting_for_dependencies")
    assert numbers(task_uuid) == (4, 2, 1)
    assert ready(task_uuid) == {"right"}
    assert get_context(task_uuid).recommended_action == "execute_ready_steps"


def test_unknown_task_has_no_context():
    with pytest.raises(NotFoundError):
        get_context(UUID(int=0))
