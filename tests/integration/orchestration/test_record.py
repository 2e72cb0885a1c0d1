"""`record()` writes moves from Python as one compare-and-swap."""

import pytest

from orchestration.fsm import ConcurrentTransition, TransitionNotAllowed
from orchestration.models import (
    Task,
    TaskTransition,
    WorkflowStep,
)
from orchestration.testing import StepFactory, TaskFactory
from tests.factories.moves import hops, move_task

pytestmark = pytest.mark.django_db


def test_record_writes_move_columns_and_reason_in_one_update(django_assert_num_queries):
    task = Task.objects.get(pk=TaskFactory.create(state="blocked_by_failures").pk)
    task.give_up()
    task.priority = 9

    with django_assert_num_queries(4):  # savepoint, announcement, update, release
        task.record("priority", actor="ann", reason="hopeless", ticket=7)

    stored = Task.objects.get(pk=task.pk)
    assert (stored.state, stored.priority, stored.state_version) == ("error", 9, 2)
    hop = TaskTransition.objects.get(task=task, sort_key=2)
    assert (hop.event, hop.actor) == ("give_up", "ann")
    assert hop.metadata == {"reason": "hopeless", "ticket": 7}


def test_record_writes_several_hops_at_once():
    step = WorkflowStep.objects.get(pk=StepFactory.create(state="error", attempts=3).pk)
    step.reset_for_retry()
    step.enqueue()

    step.record("attempts", "backoff_request_seconds", actor="ann")

    assert [hop[1:] for hop in hops(step)[1:]] == [
        ("error", "pending", "reset_for_retry"),
        ("pending", "enqueued", "enqueue"),
    ]
    stored = WorkflowStep.objects.get(pk=step.pk)
    assert (stored.attempts, stored.state_version) == (0, step.state_version) == (0, 3)


def test_two_records_in_a_row_follow_the_version():
    task = Task.objects.get(pk=TaskFactory.create().pk)
    task.cancel()
    task.record(actor="ann")
    task.refresh_from_db()

    assert (task.state, task.state_version) == ("cancelled", 2)
    with pytest.raises(TransitionNotAllowed):
        task.cancel()


def test_the_second_of_two_records_of_one_state_is_refused():
    row = TaskFactory.create()
    winner, loser = Task.objects.get(pk=row.pk), Task.objects.get(pk=row.pk)
    winner.cancel()
    winner.record(actor="ann")

    loser.resolve_manually()
    with pytest.raises(ConcurrentTransition, match=str(row.pk)):
        loser.record(actor="bob")

    assert [hop[3] for hop in hops(row)] == ["created", "cancel"]


def test_a_row_that_went_round_and_came_back_is_another_one():
    """The state alone would not show it: the version does."""
    stale = Task.objects.get(pk=TaskFactory.create(state="error").pk)
    move_task(stale, "pending")
    move_task(stale, "error")

    stale.reset()
    with pytest.raises(ConcurrentTransition):
        stale.record(actor="ann")


def test_record_without_a_move_is_a_mistake():
    with pytest.raises(ValueError, match="no transition"):
        Task.objects.get(pk=TaskFactory.create().pk).record(actor="ann")


def test_a_move_that_is_not_declared_is_refused_before_the_database_is_asked():
    task = Task.objects.get(pk=TaskFactory.create(state="complete").pk)

    with pytest.raises(TransitionNotAllowed):
        task.start()


def test_the_state_cannot_be_assigned():
    task = Task.objects.get(pk=TaskFactory.create().pk)

    with pytest.raises(AttributeError):
        task.state = "complete"


@pytest.mark.parametrize(("attempts", "may_retry"), [(1, True), (3, False)])
def test_a_failed_step_is_retried_only_while_attempts_are_left(attempts, may_retry):
    step = StepFactory.create(state="error", attempts=attempts, max_attempts=3)
    step = WorkflowStep.objects.get(pk=step.pk)

    if may_retry:
        step.retry()
        step.record(actor="ann")
        assert hops(step)[1][3] == "retry"
    else:
        with pytest.raises(TransitionNotAllowed):
            step.retry()


@pytest.mark.parametrize(("attempts", "target"), [(1, "enqueued"), (3, "error")])
def test_a_lost_worker_sends_the_step_where_its_counters_say(attempts, target):
    row = StepFactory.create(state="in_progress", attempts=attempts, max_attempts=3)
    step = WorkflowStep.objects.get(pk=row.pk)

    step.worker_lost()
    step.record(actor="reaper")

    assert hops(step)[1:] == [(2, "in_progress", target, "worker_lost")]


def test_reading_the_row_again_forgets_moves_that_were_not_recorded():
    task = Task.objects.get(pk=TaskFactory.create().pk)
    task.cancel()

    task.refresh_from_db()

    assert task.state == "pending"
    with pytest.raises(ValueError, match="no transition"):
        task.record(actor="ann")
