"""`tasker_add_steps`: a running task gets steps and edges as sets."""

import json

import pytest
from django.db import DatabaseError, connections, transaction

from orchestration.models import StepTransition, WorkflowStep
from tests.factories import ticks
from tests.factories.dynamic import approval, batched, names, parents

pytestmark = pytest.mark.django_db


@pytest.fixture
def gate():
    created = ticks.start(approval())
    return WorkflowStep.objects.get(task_id=created.task_uuid, name="decide")


def shared(name, **more):
    return {
        "name": name,
        "system": "default",
        "step_type": "standard",
        "retryable": True,
        "max_attempts": 3,
        **more,
    }


def add(gate, templates, steps, edges):
    """Add steps; each is a name, or the columns of an instance."""
    rows = [{"name": s, "template_step": s} if isinstance(s, str) else s for s in steps]
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT * FROM tasker_add_steps(%s, %s, %s, %s, %s)",
            [gate.task_id, gate.pk, *map(json.dumps, (templates, rows, edges))],
        )
        return {name for (name,) in cursor.fetchall()}


def test_steps_and_edges_are_added_with_their_history(gate):
    added = add(
        gate,
        [shared("small", inputs={"a": 1}), shared("finish")],
        ["small", "finish"],
        [["decide", "small", "provides"], ["small", "finish", "provides"]],
    )

    assert added == {"small", "finish"}
    step = WorkflowStep.objects.get(name="small")
    assert (step.state, step.origin_step_id, step.inputs) == ("pending", gate.pk, {"a": 1})
    assert parents(gate.task_id, "finish") == {"small": "provides"}
    assert StepTransition.objects.filter(workflow_step__name="finish", event="created").count() == 1


def test_steps_that_are_there_are_left_alone_and_get_no_edge(gate):
    first = [shared("small")], ["small"], [["decide", "small", "provides"]]
    add(gate, *first)

    again = add(
        gate,
        [shared("small", max_attempts=9), shared("medium")],
        ["small", "medium"],
        [["validate", "small", "provides"], ["decide", "medium", "provides"]],
    )

    assert again == {"medium"}
    assert parents(gate.task_id, "small") == {"decide": "provides"}
    assert WorkflowStep.objects.get(name="small").max_attempts == 3


def test_instances_share_their_step_type_and_edges_lead_from_every_one():
    created = ticks.start(batched())
    analyser = WorkflowStep.objects.get(task_id=created.task_uuid)
    worker = shared("work", step_type="batch_worker", inputs={"a": 1, "b": 1})
    instances = [
        {
            "template_step": "work",
            "name": f"work_{n}",
            "batch_id": str(n),
            "batch_index": n,
            "batch_count": 2,
            "inputs": {"b": n},
        }
        for n in range(2)
    ]

    add(
        analyser,
        [worker, shared("aggregate")],
        [*instances, "aggregate"],
        [["analyse", "work", "batch_dependency"], ["work", "aggregate", "worker_to_convergence"]],
    )

    first, second = WorkflowStep.objects.filter(step_type="batch_worker").order_by("pk")
    assert (first.name, second.name) == ("work_0", "work_1")
    assert first.named_step_id == second.named_step_id
    assert (second.inputs, second.batch_id, second.batch_index) == ({"a": 1, "b": 1}, "1", 1)
    assert first.inputs == {"a": 1, "b": 0}
    assert set(parents(created.task_uuid, "aggregate")) == {"work_0", "work_1"}


def test_edge_that_could_close_a_cycle_is_refused(gate):
    templates = [shared("small"), shared("finish")]

    with pytest.raises(DatabaseError, match="finish -> small could close a cycle"):  # noqa: SIM117
        with transaction.atomic():
            add(gate, templates, ["small", "finish"], [["finish", "small", "provides"]])

    assert names(gate.task_id) == {"validate", "decide"}


def test_step_of_a_type_that_nobody_registered_is_refused(gate):
    with pytest.raises(DatabaseError, match="named_step_uuid"), transaction.atomic():
        add(gate, [shared("unheard_of")], ["unheard_of"], [])
