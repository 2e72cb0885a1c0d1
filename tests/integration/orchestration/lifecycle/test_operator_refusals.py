"""Operator actions that are refused, and acting twice: engine.md 9, scenario O8."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from orchestration.errors import ActionRefusedError, NotFoundError
from orchestration.lifecycle import operator_actions as act
from orchestration.models import Task, WorkflowStep
from orchestration.testing import linear, shape
from tests.factories import ticks
from tests.factories.histories import step_histories, step_history, task_history

pytestmark = pytest.mark.django_db
WHO: dict[str, Any] = {"actor": "ops", "reason": "because"}


def step_of(name):
    return WorkflowStep.objects.get(name=name)


def state_of(created):
    return Task.objects.get(pk=created.task_uuid).state


TASK_ACTIONS: dict[str, Callable[..., Any]] = {
    "cancel": act.cancel_task,
    "resolve": act.resolve_task,
    "give up": act.give_up_task,
    "reset": act.reset_task,
    "retry failed steps": act.retry_failed_steps,
}
STEP_ACTIONS: dict[str, Callable[..., Any]] = {
    "reset": act.reset_step,
    "resolve": act.resolve_step,
    "complete": partial(act.complete_step, result={}),
}
REFUSED_ON = {  # task action → states of a task with a failed step in which it is refused
    "cancel": {"complete", "error", "cancelled", "resolved_manually"},
    "resolve": {"complete", "error", "cancelled", "resolved_manually"},
    "give up": {
        "pending",
        "steps_in_process",
        "complete",
        "error",
        "cancelled",
        "resolved_manually",
    },
    "reset": {
        "pending",
        "steps_in_process",
        "blocked_by_failures",
        "complete",
        "cancelled",
        "resolved_manually",
    },
    "retry failed steps": {
        "pending",
        "steps_in_process",
        "complete",
        "cancelled",
        "resolved_manually",
    },
}


def task_in(state):
    """Bring a task to a state by the engine's own roads."""
    if state == "pending":
        return ticks.start(linear(1), start=False)
    if state in ("steps_in_process", "complete"):
        created = ticks.start(linear(1))
        if state == "complete":
            ticks.run_step()
        return created
    created = ticks.blocked(linear(1))
    ending = {"error": "give up", "cancelled": "cancel", "resolved_manually": "resolve"}.get(state)
    if ending:
        TASK_ACTIONS[ending](created.task_uuid, **WHO)
    assert state_of(created) == state
    return created


@pytest.mark.parametrize(
    ("action", "state"), [(action, s) for action in REFUSED_ON for s in sorted(REFUSED_ON[action])]
)
def test_task_action_is_refused_and_changes_nothing(action, state):
    created = task_in(state)
    before = (task_history(created.task_uuid), step_histories(created.task_uuid))

    with pytest.raises(ActionRefusedError) as refusal:
        TASK_ACTIONS[action](created.task_uuid, **WHO)

    assert (task_history(created.task_uuid), step_histories(created.task_uuid)) == before
    if action != "retry failed steps" or state not in ("pending", "steps_in_process"):
        assert state in str(refusal.value)


@pytest.mark.parametrize("action", STEP_ACTIONS)
@pytest.mark.parametrize("state", ["complete", "cancelled", "resolved_manually"])
def test_step_action_on_a_closed_task_is_refused(action, state):
    created = task_in(state)
    step = step_of("step_1")
    before = step_history(step.pk)

    with pytest.raises(ActionRefusedError, match=state):
        STEP_ACTIONS[action](step.pk, **WHO)

    assert step_history(step.pk) == before
    assert state_of(created) == state


@pytest.mark.parametrize("action", STEP_ACTIONS)
def test_step_action_is_refused_the_second_time(action):
    created = ticks.start(shape("pair", {"a": [], "b": []}))
    a, _ = ticks.claim()
    ticks.report(ticks.failure(a, retryable=False))
    ticks.process()
    step = step_of("a")
    STEP_ACTIONS[action](step.pk, **WHO)
    before = (step_history(step.pk), task_history(created.task_uuid))

    with pytest.raises(ActionRefusedError, match="step 'a'"):
        STEP_ACTIONS[action](step.pk, **WHO)

    assert (step_history(step.pk), task_history(created.task_uuid)) == before


@pytest.mark.parametrize("action", TASK_ACTIONS)
def test_task_action_is_refused_the_second_time(action):
    created = ticks.blocked(linear(1))
    if action == "reset":
        act.give_up_task(created.task_uuid, **WHO)
    TASK_ACTIONS[action](created.task_uuid, **WHO)
    before = task_history(created.task_uuid)

    with pytest.raises(ActionRefusedError):
        TASK_ACTIONS[action](created.task_uuid, **WHO)

    assert task_history(created.task_uuid) == before


@pytest.mark.parametrize("action", TASK_ACTIONS)
def test_action_on_an_unknown_task_finds_nothing(action):
    unknown = uuid4()

    with pytest.raises(NotFoundError, match=str(unknown)):
        TASK_ACTIONS[action](unknown, **WHO)


@pytest.mark.parametrize("action", STEP_ACTIONS)
def test_action_on_an_unknown_step_finds_nothing(action):
    unknown = uuid4()

    with pytest.raises(NotFoundError, match=str(unknown)):
        STEP_ACTIONS[action](unknown, **WHO)
