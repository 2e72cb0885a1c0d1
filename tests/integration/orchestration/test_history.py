"""The triggers judge every move and record it, one row a hop."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from orchestration.models import (
    StepTransition,
    Task,
    TaskTransition,
    WorkflowStep,
)
from orchestration.states import StepState, TaskState
from orchestration.testing import StepFactory, TaskFactory
from tests.factories.moves import announce, execute, hops, move_step, move_task

pytestmark = pytest.mark.django_db
WORKER = uuid4()


@pytest.mark.parametrize("state", TaskState.values)
def test_a_task_may_be_inserted_in_any_state_and_has_one_row_of_history(state):
    task = TaskFactory.create(state=state)

    assert hops(task) == [(1, None, state, "created")]
    assert Task.objects.get(pk=task.pk).state_version == 1


@pytest.mark.parametrize("state", StepState.values)
def test_a_step_may_be_inserted_in_any_state_and_has_one_row_of_history(state):
    step = StepFactory.create(state=state)

    assert hops(step) == [(1, None, state, "created")]


def test_a_move_leaves_one_row_and_counts_the_version(clock):
    task = TaskFactory.create()
    clock.advance(60)

    moved = move_task(task, "initializing")

    assert hops(task)[1:] == [(2, "pending", "initializing", "start")]
    assert (moved.state_version, moved.via) == (2, None)
    assert moved.state_entered_at == moved.updated_at == clock.now


def test_via_leaves_one_row_per_hop():
    task = TaskFactory.create(state="steps_in_process")

    moved = move_task(task, "steps_in_process", "evaluating_results:step_failed", "enqueuing_steps")

    assert hops(task)[1:] == [
        (2, "steps_in_process", "evaluating_results", "step_failed"),
        (3, "evaluating_results", "enqueuing_steps", "ready_steps_found"),
        (4, "enqueuing_steps", "steps_in_process", "steps_enqueued"),
    ]
    assert (moved.state, moved.state_version) == ("steps_in_process", 4)
    assert moved.via == ["#", "evaluating_results:step_failed", "enqueuing_steps"]


def test_the_hops_of_a_move_are_forgotten_with_the_next_one():
    task = TaskFactory.create(state="steps_in_process")
    move_task(task, "steps_in_process", "evaluating_results")

    Task.objects.filter(pk=task.pk).update(priority=7)
    moved = move_task(task, "cancelled")

    assert hops(task)[3:] == [(4, "steps_in_process", "cancelled", "cancel")]
    assert moved.via is None


def test_a_step_takes_several_hops_too():
    step = StepFactory.create(state="waiting_for_retry")

    moved = move_step(step, "enqueued", "pending")

    assert [hop[3] for hop in hops(step)[1:]] == ["retry", "enqueue"]
    assert moved.state_version == 3


def test_the_announced_event_is_that_of_the_last_hop_only():
    announce('{"event": "reevaluate", "actor": "timer"}')
    task = TaskFactory.create(state="waiting_for_retry")

    move_task(task, "evaluating_results")

    assert hops(task)[1:] == [(2, "waiting_for_retry", "evaluating_results", "reevaluate")]


def test_an_event_that_does_not_fit_the_pair_gives_way_to_the_default():
    announce('{"event": "give_up"}')
    task = TaskFactory.create()

    move_task(task, "cancelled")

    assert hops(task)[1][3] == "cancel"


def test_who_and_why_are_recorded_and_the_rest_is_metadata():
    processor = uuid4()
    step = StepFactory.create()
    announce(
        f'{{"event": "enqueue", "actor": "ann", "processor_uuid": "{processor}",'
        f' "worker_uuid": "{WORKER}", "reason": "because", "ticket": 7}}'
    )

    move_step(step, "enqueued")

    hop = StepTransition.objects.get(workflow_step=step, sort_key=2)
    assert (hop.actor, hop.processor_uuid, hop.worker_uuid) == ("ann", processor, WORKER)
    assert hop.metadata == {"reason": "because", "ticket": 7}


def test_without_announcement_the_actor_is_the_database_user():
    task = TaskFactory.create()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_user")
        (user,) = cursor.fetchone()

    move_task(task, "cancelled")

    assert TaskTransition.objects.get(task=task, sort_key=2).actor == user


def test_the_announcement_ends_with_its_transaction(transactional_db):
    task = TaskFactory.create()
    with transaction.atomic():
        announce('{"actor": "ann"}')

    move_task(task, "cancelled")

    assert TaskTransition.objects.get(task=task, sort_key=2).actor != "ann"


def test_an_update_that_leaves_the_state_alone_leaves_no_history():
    task = TaskFactory.create()

    Task.objects.filter(pk=task.pk).update(priority=7)

    assert len(hops(task)) == 1


def illegal_pairs(
    model: type[Task] | type[WorkflowStep], states: list[str]
) -> list[tuple[str, str]]:
    legal = {(source, target) for source, target, _ in model.moves()}
    return [
        (source, target)
        for source in states
        for target in states
        if source != target and (source, target) not in legal
    ]


def test_every_other_pair_of_task_states_is_refused():
    tasks = {state: TaskFactory.create(state=state) for state in TaskState.values}
    pairs = illegal_pairs(Task, TaskState.values)

    for source, target in pairs:
        with pytest.raises(IntegrityError, match=f"{source} -> {target}"), transaction.atomic():
            move_task(tasks[source], target)

    assert len(pairs) == 12 * 11 - 43
    assert TaskTransition.objects.count() == 12


def test_every_other_pair_of_step_states_is_refused():
    steps = {state: StepFactory.create(state=state) for state in StepState.values}
    pairs = illegal_pairs(WorkflowStep, StepState.values)

    for source, target in pairs:
        with pytest.raises(IntegrityError, match=f"{source} -> {target}"), transaction.atomic():
            move_step(steps[source], target)

    assert len(pairs) == 10 * 9 - 40
    assert StepTransition.objects.count() == 10


def test_one_illegal_hop_refuses_the_whole_move():
    task = TaskFactory.create(state="steps_in_process")

    with pytest.raises(IntegrityError, match="enqueuing_steps -> complete"), transaction.atomic():
        move_task(task, "complete", "evaluating_results", "enqueuing_steps")

    assert Task.objects.get(pk=task.pk).state == "steps_in_process"
    assert len(hops(task)) == 1


def test_a_state_that_does_not_exist_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        move_task(TaskFactory.create(), "no such state")


@pytest.mark.parametrize("table", ["tasker_task_transitions", "tasker_workflow_step_transitions"])
def test_history_cannot_be_changed(table):
    StepFactory.create()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(f"UPDATE {table} SET actor = 'somebody else'")  # noqa: S608
