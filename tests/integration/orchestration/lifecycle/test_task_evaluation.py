"""`evaluate` over every state, goal and cause: engine.md 7.3 with real rows and a real history."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from orchestration.lifecycle.task_finalizer import Cause, Question, evaluate
from orchestration.models import Task
from orchestration.queries import tasks
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory
from tests.factories.histories import LETTERS, states, task_history
from tests.factories.next_states import CAUSES, GOALS, OPEN_STATES, expected
from tests.factories.ticks import MOVE

TERMINAL = ("complete", "error", "cancelled", "resolved_manually")


def steps_for(goal, task):
    """Give a task the steps that call for a goal."""
    step = StepFactory.create(task=task, name="a", state="complete")
    if goal == "enqueue":
        StepFactory.create(task=task, name="b", parents=[step])
    elif goal == "in_flight":
        StepFactory.create(task=task, name="b", state="in_progress")
    elif goal == "retry":
        later = timezone.now() + timedelta(hours=1)
        StepFactory.create(task=task, name="b", state="waiting_for_retry", next_retry_at=later)
    elif goal == "blocked":
        failed = StepFactory.create(task=task, name="b", state="error")
        StepFactory.create(task=task, name="c", parents=[failed])
    elif goal == "idle":
        called_off = StepFactory.create(task=task, name="b", state="cancelled")
        StepFactory.create(task=task, name="c", parents=[called_off])


@pytest.mark.django_db
@pytest.mark.parametrize("letter", OPEN_STATES)
def test_every_goal_and_cause_leads_where_the_table_says(letter, without_invariants):
    template = TemplateFactory.create()
    questions, wanted = [], {}
    for goal, cause in product(GOALS, CAUSES):
        task = TaskFactory.create(named_task=template, state=OPEN_STATES[letter])
        steps_for(goal, task)
        questions.append(Question(task.pk, task.state, Cause(cause)))
        wanted[task.pk] = (goal, cause, expected(goal, letter, cause))
    tasks.announce(MOVE)

    answers = evaluate(questions)

    written = {uuid: (*wanted[uuid][:2], task_history(uuid, after=1)) for uuid in wanted}
    assert written == wanted
    for answer in answers:
        goal, _, path = wanted[answer.task_uuid]
        assert (answer.goal, answer.moved) == (goal, bool(path))
        state = Task.objects.get(pk=answer.task_uuid).state
        assert answer.state == state == OPEN_STATES.get((path or letter).split()[-1], state)
        if goal == "enqueue":
            assert states(answer.task_uuid) == {"a": "complete", "b": "enqueued"}


@pytest.mark.django_db
@pytest.mark.parametrize("state", TERMINAL)
def test_terminal_task_is_left_alone(state, without_invariants):
    task = TaskFactory.create(state=state)
    StepFactory.create(task=task)

    answers = evaluate([Question(task.pk, state, Cause.SUCCESS)])

    assert answers == []
    assert task_history(task.pk) == LETTERS[state]


@pytest.mark.django_db
def test_task_without_steps_is_finished():
    task = TaskFactory.create()

    (answer,) = evaluate([Question(task.pk, task.state, Cause.CREATION)])

    assert answer.state == "complete"
    assert task_history(task.pk) == "P I C"


@pytest.mark.django_db
def test_mixed_questions_are_answered_in_one_call():
    template = TemplateFactory.create()
    fresh, done = TaskFactory.create_batch(2, named_task=template)
    StepFactory.create(task=fresh)
    StepFactory.create(task=done, state="complete")

    answers = evaluate([Question(t.pk, t.state, Cause.TIMER) for t in (fresh, done)])

    assert {a.task_uuid: a.state for a in answers} == {
        fresh.pk: "steps_in_process",
        done.pk: "complete",
    }


@pytest.mark.django_db
def test_step_in_error_is_never_started_though_attempts_are_left(without_invariants):
    task = TaskFactory.create(state="steps_in_process")
    StepFactory.create(task=task, name="a", state="error", attempts=1, max_attempts=3)

    evaluate([Question(task.pk, task.state, Cause.FAILURE)])

    assert states(task.pk) == {"a": "error"}
    assert task_history(task.pk, after=1) == "E:step_failed B"
