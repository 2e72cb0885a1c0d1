"""A task that starts as it is created leaves what one leaves that is created first, started then.

The first way writes every row once; the second is what discovery does with tasks that had to wait.
"""

from typing import Any

import pytest
from django.db import DatabaseError, connections

from orchestration import metrics
from orchestration.client import create_tasks
from orchestration.lifecycle.task_finalizer import Cause, Question, evaluate
from orchestration.messaging import pgmq
from orchestration.models import StepTransition, Task, TaskTransition, WorkflowStep
from orchestration.testing import TaskFactory, TemplateFactory, diamond, linear, shape
from tests.factories.moves import hops
from tests.factories.stored import told

pytestmark = pytest.mark.django_db
QUEUE = "worker_test_queue"
UPDATED = """
SELECT sum(pg_stat_get_xact_tuples_updated(to_regclass(name)))
FROM unnest(ARRAY['tasker_tasks', 'tasker_workflow_steps']) AS t (name)
"""
ROOTS = ("b", "a", "d", "c")


@pytest.fixture(autouse=True)
def _templates(_invariants):
    forest = shape("forest", {**{name: [] for name in ROOTS}, "join": list(ROOTS)})
    for template in (linear(4), diamond(), forest):
        TemplateFactory.create(template=template)


def request(name: str = "linear_4", **rest: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "test", "reason": "because", **rest}


def started_at_once(requests: list[dict[str, Any]]) -> list[Any]:
    return [each.task_uuid for each in create_tasks(requests, actor="ann")]


def started_afterwards(requests: list[dict[str, Any]]) -> list[Any]:
    made = [each.task_uuid for each in create_tasks(requests, actor="ann", start=False)]
    evaluate([Question(task_uuid, "pending", Cause.CREATION) for task_uuid in made])
    return made


def value(query: str) -> Any:
    with connections["default"].cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def updates_of(work: Any) -> int:
    """Return how many rows of tasks and steps a piece of work wrote a second time."""
    before = value(UPDATED)
    work()
    return int(value(UPDATED) - before)


def times(task_uuid: Any) -> list[Any]:
    """Return the times that rows and history of a task show."""
    moves = TaskTransition.objects.filter(task=task_uuid).values_list("created_at")
    steps = StepTransition.objects.filter(workflow_step__task=task_uuid).values_list("created_at")
    shown = ("created_at", "updated_at", "state_entered_at")
    rows = [
        *Task.objects.filter(pk=task_uuid).values_list(*shown, "requested_at"),
        *WorkflowStep.objects.filter(task=task_uuid).values_list(*shown),
    ]
    return [time for row in (*rows, *moves, *steps) for time in row]


def take_messages() -> list[tuple[Any, str]]:
    """Return the messages, as task number and step, and check that each is its step's own."""
    contexts = dict(Task.objects.values_list("pk", "context"))
    steps = {str(step.pk): step for step in WorkflowStep.objects.select_related("task")}
    found = []
    for message in pgmq.read(QUEUE, limit=100, visibility_seconds=30):
        step = steps[message.body["step_uuid"]]
        assert step.queue_msg_id == message.msg_id
        assert message.body == {
            "task_uuid": str(step.task_id),
            "step_uuid": str(step.pk),
            "correlation_id": str(step.task.correlation_id),
        }
        found.append((contexts[step.task_id]["n"], step.name))
    return found


@pytest.mark.parametrize("name", ["linear_4", "diamond", "forest"])
def test_both_ways_leave_the_same_rows_and_history(name, clock):
    wanted = [request(name, priority=3, tags=["a"], context={"n": 1})]

    (once,), (twice,) = started_at_once(wanted), started_afterwards(wanted)

    assert told(once) == told(twice)
    assert set(times(once)) == set(times(twice)) == {clock.now}


def test_both_ways_send_the_same_messages_in_the_same_order():
    wanted = [
        request("forest", context={"n": n}, priority=priority)
        for n, priority in enumerate((0, 5, -3, 5))
    ]

    started_at_once(wanted)
    once = take_messages()
    started_afterwards(wanted)
    twice = take_messages()

    assert once == twice == [(n, name) for n in (1, 3, 0, 2) for name in "abcd"]


def test_a_task_that_starts_writes_no_row_twice():
    create_tasks([request("forest")])  # what is read once per process

    assert updates_of(lambda: started_at_once([request("forest")] * 3)) == 0
    assert updates_of(lambda: started_afterwards([request("forest")] * 3)) == 3 + 3 * len(ROOTS)


def test_both_ways_are_counted_alike():
    counts = []
    for start in (started_at_once, started_afterwards):
        before = metrics.snapshot()
        start([request("forest")] * 2)
        after = metrics.snapshot()
        names = ("tasker.steps.enqueued.total", "tasker.tasks.requests.total")
        counts.append([after[name] - before[name] for name in names])

    assert counts == [[8, 2], [8, 2]]


def test_more_first_steps_than_may_be_in_flight_are_enqueued_one_after_another(settings):
    settings.TASKER = {**settings.TASKER, "max_steps_in_flight_per_task": 3}

    (made,) = started_at_once([request("forest", context={"n": 1})])

    assert take_messages() == [(1, "a"), (1, "b"), (1, "c")]
    assert Task.objects.get(pk=made).state == "steps_in_process"


def test_a_task_is_not_inserted_behind_a_move_that_is_illegal(without_invariants):
    with pytest.raises(DatabaseError, match="illegal move pending -> complete"):
        TaskFactory.create(state="complete", state_version=2)


def test_an_inserted_task_has_the_hops_that_it_names(without_invariants):
    via = ["#", "initializing", "enqueuing_steps"]

    task = TaskFactory.create(state="steps_in_process", state_version=4, via=via)

    assert hops(task) == [
        (1, None, "pending", "created"),
        (2, "pending", "initializing", "start"),
        (3, "initializing", "enqueuing_steps", "ready_steps_found"),
        (4, "enqueuing_steps", "steps_in_process", "steps_enqueued"),
    ]
