"""Two decisions of a task that end at the same moment: their convergence comes once, with both."""

from functools import partial

import pytest

from orchestration.lifecycle.operator_actions import complete_step, resolve_step
from orchestration.models import Task, WorkflowStep
from tests.factories import ticks
from tests.factories.dynamic import dynamic, names, parents, route
from tests.factories.histories import RAN_ONCE, step_histories
from tests.races import overtake

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]
OUTCOMES = {"d": route("a"), "e": route("b")}


@pytest.fixture(autouse=True)
def _nothing_is_left_in_between(caplog):
    yield
    ticks.assert_invariants()
    assert "transaction.repeated" not in caplog.messages  # a deadlock that was lost


def reported(*decisions):
    """Return a task with two decisions, of which those named have been reported."""
    created = ticks.start(dynamic("two", "s; ?d < s; ?e < s; a < d; b < e; +end < a b"))
    ticks.run_step()
    for each in ticks.claim():
        if each.name in decisions:
            ticks.report(ticks.success(each, OUTCOMES[each.name]))
    return created.task_uuid


def ends_with(task_uuid, *branches):
    """Let the task run to its end; the convergence came once and waited for these branches."""
    ticks.process()
    ticks.run_to_the_end()
    assert names(task_uuid) == {"s", "d", "e", "end", *branches}
    assert set(parents(task_uuid, "end")) == set(branches)
    assert step_histories(task_uuid)["end"] == RAN_ONCE
    assert Task.objects.get(pk=task_uuid).state == "complete"


def test_two_orchestrators_hear_one_decision_each():
    task_uuid = reported("d", "e")

    handled = overtake(partial(ticks.process, limit=1), partial(ticks.process, limit=1))

    assert handled == (1, 1)
    ends_with(task_uuid, "a", "b")


OPERATIONS = {
    "resolve": (partial(resolve_step, actor="ops"), ["a"]),
    "complete": (partial(complete_step, actor="ops", result=route("b")), ["a", "b"]),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("operator_is_first", [True, False])
def test_operator_decides_while_the_other_decision_is_heard(operation, operator_is_first):
    action, branches = OPERATIONS[operation]
    task_uuid = reported("d")
    step = WorkflowStep.objects.get(task_id=task_uuid, name="e")
    pair = [partial(action, step.pk), ticks.process]

    outcomes = overtake(*(pair if operator_is_first else reversed(pair)))

    assert not [each for each in outcomes if isinstance(each, Exception)]
    ends_with(task_uuid, *branches)
