"""Discovery lets waiting tasks in, best effective priority first (engine.md 5.4, 6.7; M5, M6)."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from orchestration import health
from orchestration.conf import engine_settings
from orchestration.lifecycle import discovery
from orchestration.models import Task
from orchestration.orchestrator import Discovery
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, linear, shape
from tests.factories import ticks
from tests.factories.histories import states, task_history

pytestmark = pytest.mark.django_db


def admit():
    return discovery.admit_waiting_tasks(limit=engine_settings().ready_batch_count, move=ticks.MOVE)


def test_task_that_was_not_started_is_let_in():
    created = ticks.start(linear(2), start=False)

    admission = admit()

    assert admission == (1, False)
    assert task_history(created.task_uuid) == "P I Q S"
    assert admit() == (0, False)


def test_waiting_task_goes_on_when_a_step_became_ready():
    task = TaskFactory.create(state="waiting_for_dependencies")
    done = StepFactory.create(task=task, name="a", state="complete")
    StepFactory.create(task=task, name="b", parents=[done])

    admit()

    assert states(task.pk) == {"a": "complete", "b": "enqueued"}
    assert task_history(task.pk) == "D E:dependencies_ready Q S"


def test_tasks_that_are_not_ready_never_hide_one_that_is(settings):
    settings.TASKER = {**settings.TASKER, "ready_batch_count": 1}
    template = TemplateFactory.create()
    for _ in range(20):
        stuck = TaskFactory.create(
            named_task=template, state="waiting_for_dependencies", priority=100
        )
        StepFactory.create(task=stuck, parents=[StepFactory.create(task=stuck, state="cancelled")])
    fresh = ticks.start(linear(1), start=False)

    admit()

    assert task_history(fresh.task_uuid) == "P I Q S"


def test_tasks_are_let_in_by_priority_and_age(settings):
    settings.TASKER = {**settings.TASKER, "ready_batch_count": 1}
    made = {
        priority: ticks.start(linear(1), start=False, priority=priority).task_uuid
        for priority in (0, 5, 10)
    }
    old = ticks.start(linear(1), start=False).task_uuid
    Task.objects.filter(pk=old).update(created_at=timezone.now() - timedelta(hours=60))

    order: list[UUID] = []
    for _ in range(4):
        before = set(Task.objects.filter(state="pending").values_list("pk", flat=True))
        admit()
        order += before - set(Task.objects.filter(state="pending").values_list("pk", flat=True))

    # 60 hours are worth 6: between 5 and 10.
    assert order == [made[10], old, made[5], made[0]]


def test_backlogged_namespace_stays_closed_until_its_queue_has_room(settings):
    settings.TASKER = {**settings.TASKER, "high_water_messages": 10}
    wide = ticks.start(shape("wide", {f"root_{n}": [] for n in range(10)}))
    held = ticks.start(linear(1))
    other = ticks.start(linear(1, namespace="roomy"), start=False)

    closed = admit()
    ticks.run_step()
    opened = admit()

    assert (closed, opened) == ((1, True), (1, False))
    assert task_history(wide.task_uuid).startswith("P I Q S")
    assert task_history(held.task_uuid) == "P I Q S"
    assert task_history(other.task_uuid) == "P I Q S"


@pytest.mark.parametrize(("in_use", "admitted"), [(26, 1), (27, 0), (30, 0)])
def test_discovery_pauses_while_nine_tenths_of_the_connections_are_in_use(
    monkeypatch, in_use, admitted
):
    ticks.start(linear(1), start=False)
    monkeypatch.setattr(health, "pool_use", lambda: health.PoolUse(30, in_use, 30))
    waiting = Discovery(ticks.MOVE, lambda: 10.0)

    assert waiting.do_batch(10) == admitted
    assert waiting.holds_back is (admitted == 0)
