"""A run disturbs nobody and is disturbed by nobody, and leaves no message behind."""

from datetime import timedelta

import pytest
from django.test import TestCase

from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE, worker_queue
from orchestration.models import Task, WorkflowStep
from orchestration.queries.inline import read_clock
from orchestration.queries.recovery import engine_now
from orchestration.testing import fail_times, linear
from templates_registry.models import NamedTask
from tests.factories import ticks
from workers.testing import WorkerLost, run_inline


def messages() -> int:
    """Return how many messages are on the queues of the shapes."""
    return sum(pgmq.metrics(queue).depth for queue in (worker_queue("test"), RESULTS_QUEUE))


@pytest.fixture
def flaky():
    """A chain that fails once and whose retry is due in five minutes."""
    retry = {"backoff": "linear", "backoff_base_ms": 300_000}
    return linear(2, name="flaky", steps={"step_1": {"handler": fail_times(1), "retry": retry}})


@pytest.mark.django_db
def test_tasks_of_others_in_the_same_namespace_are_left_alone(flaky):
    ticks.start(linear(1))
    ticks.fail_step()  # its retry is due before that of the run
    ticks.start(linear(1))
    ticks.claim()  # its lease ends before that of the run
    ticks.start(linear(1))  # its message is on the queue before those of the run
    before = dict(WorkflowStep.objects.values_list("pk", "state_version"))

    run = run_inline(flaky, on_dispatch=_kill_first_of("step_2"))

    run.assert_complete()
    assert run.virtual_seconds > 300
    others = WorkflowStep.objects.exclude(task=run.task_uuid)
    assert dict(others.values_list("pk", "state_version")) == before


def _kill_first_of(name):
    def on_dispatch(step, attempt, number):
        if (step, number) == (name, 1):
            raise WorkerLost

    return on_dispatch


@pytest.mark.django_db
def test_reports_of_others_are_left_to_the_orchestrators():
    ticks.start(linear(1))
    ticks.report(*map(ticks.success, ticks.claim()))

    run_inline(linear(2)).assert_complete()

    assert ticks.process() == 1


@pytest.mark.django_db
def test_a_backlog_of_the_namespace_does_not_hold_a_run_back(settings):
    settings.TASKER = {**settings.TASKER, "high_water_messages": 10}
    for _ in range(12):
        ticks.start(linear(1))

    run_inline(linear(1)).assert_complete()


@pytest.mark.django_db
def test_the_clock_goes_back_after_a_run(flaky):
    run = run_inline(flaky)

    assert run.virtual_seconds > 290
    assert read_clock() == ""


@pytest.mark.django_db
def test_a_clock_that_the_test_has_stopped_stands_where_it_stood(clock, flaky):
    clock.advance(-86_400)
    moment = engine_now()

    run = run_inline(flaky)

    assert engine_now() == moment
    assert run.task.created_at == moment
    assert run.task.completed_at == moment + timedelta(seconds=run.virtual_seconds)


@pytest.mark.django_db
def test_the_clock_goes_back_after_a_run_that_raised(flaky):
    def stop_late(step, attempt, number):
        if number == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_inline(flaky, on_dispatch=stop_late)

    assert read_clock() == ""


@pytest.mark.django_db(transaction=True)
def test_a_run_is_committed_at_its_end_and_no_message_was_ever_to_be_seen(second_connection, flaky):
    seen = []

    def look(step, attempt, number):
        seen.append(second_connection("SELECT count(*) FROM tasker_tasks"))

    run_inline(flaky, on_dispatch=look).assert_complete()

    assert set(seen) == {0}
    assert second_connection("SELECT count(*) FROM tasker_tasks WHERE state = 'complete'") == 1
    assert messages() == 0


@pytest.mark.django_db(transaction=True)
def test_a_run_that_raises_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError):
        run_inline(linear(2), on_dispatch=lambda *dispatch: 1 / 0)

    assert not Task.objects.exists()
    assert not NamedTask.objects.exists()


class InDjangosTestCase(TestCase):
    """The five lines of a user, in the transaction that Django keeps around a test."""

    def test_a_whole_template_runs(self):
        run = run_inline(linear(3), {"a": 1})

        run.assert_complete()
        assert messages() == 0
