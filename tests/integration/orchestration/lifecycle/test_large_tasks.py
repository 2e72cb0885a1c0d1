"""In a large task a success is followed by a look at the next steps, not at all of them."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orchestration.lifecycle import result_processor
from orchestration.testing import diamond, fan_in, linear
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, states, task_history

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_tasks_are_large(monkeypatch):
    monkeypatch.setattr(result_processor, "LARGE_TASK_STEPS", 0)


def looks_at_all_steps(work) -> int:
    """Return how often the work asks what all steps of tasks add up to."""
    with CaptureQueriesContext(connections["default"]) as seen:
        work()
    return sum("get_task_execution_contexts_batch" in query["sql"] for query in seen)


def test_a_chain_goes_on_step_by_step_and_is_looked_at_as_a_whole_at_its_end():
    task = ticks.start(linear(4)).task_uuid

    counts = [looks_at_all_steps(ticks.run_step) for _ in range(4)]

    assert counts == [0, 0, 0, 1]
    assert task_history(task) == LINEAR_4


def test_a_success_after_which_nothing_is_ready_is_a_question_about_the_whole_task():
    task = ticks.start(fan_in(2)).task_uuid
    claims = ticks.claim()
    ticks.report(ticks.success(claims[0]))

    assert looks_at_all_steps(ticks.process) == 1
    assert task_history(task).endswith("S E S")


def test_a_failure_beside_successes_is_a_question_about_the_whole_task():
    task = ticks.start(diamond()).task_uuid
    ticks.run_step()
    left, right = ticks.claim()
    ticks.report(ticks.success(left), ticks.failure(right, retryable=False))

    assert looks_at_all_steps(ticks.process) == 1
    assert task_history(task).endswith("E B")


def test_all_that_becomes_ready_together_is_enqueued_together():
    task = ticks.start(diamond()).task_uuid

    ticks.run_step()

    found = states(task)
    assert (found["left"], found["right"], found["join"]) == ("enqueued", "enqueued", "pending")
