"""`create_tasks`: the same as so many single creations, at the price of a few statements."""

from typing import Any

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from orchestration import metrics
from orchestration.client import create_task, create_tasks
from orchestration.errors import BackpressureError
from orchestration.lifecycle import task_draft
from orchestration.lifecycle.workflow_builder import build
from orchestration.messaging import pgmq
from orchestration.models import StepTransition, Task, TaskTransition, WorkflowStep
from orchestration.models import WorkflowStepEdge as Edge
from orchestration.queries import readiness
from orchestration.queries.tasks import NewTask
from orchestration.testing import TemplateFactory, diamond, linear, shape
from tests.factories.histories import LINEAR_4, states, step_histories, task_history
from tests.factories.stored import told
from tests.factories.ticks import run_to_the_end

pytestmark = pytest.mark.django_db
QUEUE = "worker_test_queue"
COUNT = "SELECT count(*) FROM pgmq.q_worker_test_queue"


def request(name: str = "linear_4", **rest: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "test", **rest}


@pytest.fixture(autouse=True)
def _templates(_invariants):
    for template in (linear(4), diamond(), linear(1, name="strict", identity_strategy="strict")):
        TemplateFactory.create(template=template)


# ------------------------------------------------------------ what is written


REQUESTS = [
    request(context={"n": 1}),
    request("diamond", context={"deep": [{"ü": None}], "n": 1.5, "big": 10**30}),
    request(priority=7, tags=["a", "b"], options={"x": 1}, reason="because"),
    request(initiator="someone", source_system="till", requested_at="2026-01-02T03:04:05Z"),
    request(idempotency_key="k", parent_correlation_id="019a0c4e-6a0f-7b42-ae5f-4a5b6c7d8e04"),
    request("diamond", bypass_steps=["start", "left"]),
    request(bypass_steps=["step_1", "step_2", "step_3", "step_4"]),
    request("strict", context={"n": 1}),
]


@pytest.mark.parametrize("start", [True, False])
def test_many_tasks_are_what_single_creations_make(start):
    with transaction.atomic():
        singles = [create_task(**each, start=start) for each in REQUESTS]
        expected = [told(single.task_uuid) for single in singles]
        messages = pgmq.metrics(QUEUE).depth
        transaction.set_rollback(True)

    many = create_tasks(REQUESTS, start=start)

    assert [told(each.task_uuid) for each in many] == expected
    assert [(each.state, each.created) for each in many] == [
        (each.state, each.created) for each in singles
    ]
    assert pgmq.metrics(QUEUE).depth == messages


def test_the_tasks_run_to_their_ends():
    many = create_tasks([request(context={"n": n}) for n in range(3)])

    run_to_the_end()

    assert [task_history(each.task_uuid) for each in many] == [LINEAR_4] * 3


def test_answers_stand_in_the_order_of_the_requests():
    many = create_tasks(
        request("diamond" if n % 2 else "linear_4", context={"n": n}, reason=f"reason {n % 3}")
        for n in range(10)
    )

    contexts = dict(Task.objects.values_list("pk", "context"))
    assert [contexts[each.task_uuid]["n"] for each in many] == list(range(10))


@pytest.mark.parametrize("key", [None, "key"])
def test_tasks_are_as_old_as_they_stand_in_the_call(key):
    many = create_tasks(
        request(idempotency_key=key and f"{key} {n}", context={"n": n}) for n in range(20)
    )

    by_age = Task.objects.order_by("created_at").values_list("pk", flat=True)
    assert list(by_age) == [each.task_uuid for each in many]
    messages = pgmq.read(QUEUE, limit=20, visibility_seconds=1)
    assert [m.body["task_uuid"] for m in messages] == [str(each.task_uuid) for each in many]


def test_each_history_says_who_and_why_of_its_own_request():
    create_tasks([request(reason="one", initiator="ann"), request(reason="two", initiator="bob")])
    create_tasks([request(reason="three", initiator="ann")], actor="boss")

    rows = TaskTransition.objects.filter(event="created").values_list("actor", "metadata__reason")
    assert set(rows) == {("ann", "one"), ("bob", "two"), ("boss", "three")}


def test_nothing_is_asked_for():
    assert create_tasks([]) == []
    assert create_tasks([], respect_backpressure=True) == []


# ------------------------------------------------------------ what it costs


def statements(requests: list[dict[str, Any]], **rest: Any) -> int:
    with CaptureQueriesContext(connections["default"]) as queries:
        create_tasks(requests, **rest)
    return len(queries)


@pytest.mark.parametrize("rest", [{}, {"start": False}])
def test_the_number_of_statements_does_not_depend_on_the_number_of_tasks(rest):
    create_tasks([request()])  # what is read once per process

    counts = {n: statements([request()] * n, **rest) for n in (2, 20, 100)}

    assert len(set(counts.values())) == 1, counts
    assert counts[2] <= 8  # two of them read the template, which the test has not committed


def test_statements_grow_with_what_tasks_do_not_share():
    requests = [request(), request("diamond"), request(reason="other")]
    create_tasks(requests)

    counts = [statements(requests * n) for n in (1, 10)]

    assert counts[0] == counts[1]


def test_a_large_call_is_written_in_several_statements(monkeypatch):
    monkeypatch.setattr(task_draft, "TASKS_AT_ONCE", 4)
    create_tasks([request()])

    few, many = statements([request()] * 4), statements([request()] * 10)

    assert many - few == 2
    assert Task.objects.count() == 15


def test_many_steps_are_written_in_several_statements(monkeypatch):
    monkeypatch.setattr(task_draft, "STEPS_AT_ONCE", 8)
    create_tasks([request()])

    assert statements([request()] * 6) - statements([request()] * 2) == 2


def test_a_batch_is_counted_as_single_creations_are():
    before = metrics.snapshot()

    create_tasks([request(idempotency_key="k")] * 2 + [request()])

    grown = {name: value - before[name] for name, value in metrics.snapshot().items()}
    assert grown["tasker.tasks.requests.total"] == 3
    assert grown["tasker.steps.enqueued.total"] == 2


@pytest.mark.parametrize("template", [linear(4), diamond()], ids=str)
def test_what_is_known_about_a_new_task_is_what_would_be_asked(template):
    create_task(template.name, namespace="test", start=False)
    row = Task.objects.get()
    new = NewTask("", row.task_uuid, row.created_at, row.correlation_id, 1000)
    plan = build(template)

    known = readiness.context_of_new(
        new,
        named_task_uuid=row.named_task_id,
        steps=len(plan.parents),
        ready=plan.count_ready(()),
    )

    assert readiness.task_contexts([row.task_uuid]) == [known]


# ------------------------------------------------------------ room


def test_tasks_start_as_long_as_their_namespace_has_room(settings):
    settings.TASKER = {**settings.TASKER, "high_water_messages": 10}
    wide = shape("wide", {f"root_{n}": [] for n in range(4)})
    TemplateFactory.create(template=wide)

    many = create_tasks([request("wide")] * 5)

    found = [each.state for each in many]
    assert found == ["steps_in_process"] * 3 + ["pending"] * 2
    assert pgmq.metrics(QUEUE).depth == 12


def test_a_task_takes_no_more_room_than_it_may_have_in_flight(settings):
    limits = {"high_water_messages": 10, "max_steps_in_flight_per_task": 3}
    settings.TASKER = {**settings.TASKER, **limits}
    wide = shape("wide", {f"root_{n}": [] for n in range(9)})
    TemplateFactory.create(template=wide)

    many = create_tasks([request("wide")] * 5)

    assert [each.state for each in many] == ["steps_in_process"] * 4 + ["pending"]


def test_bypassed_steps_make_room_for_those_behind_them():
    (made,) = create_tasks([request("diamond", bypass_steps=["start"])])

    assert states(made.task_uuid)["left"] == "enqueued"
    assert step_histories(made.task_uuid)["start"] == "pending resolved_manually:resolve_manually"
    assert pgmq.metrics(QUEUE).depth == 2


def test_a_namespace_under_pressure_is_respected_when_that_is_wanted():
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pgmq.send_batch(%s, array_fill('{}'::jsonb, ARRAY[1000]))",
            [QUEUE],
        )

    with pytest.raises(BackpressureError):
        create_tasks([request()] * 2, respect_backpressure=True)

    assert not Task.objects.exists()


# ------------------------------------------------------------ A13


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_when_the_callers_transaction_rolls_back():
    def create_and_fail() -> None:
        with transaction.atomic():
            create_tasks([request()] * 5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        create_and_fail()

    for model in (Task, WorkflowStep, Edge, TaskTransition, StepTransition):
        assert not model.objects.exists()
    assert pgmq.metrics(QUEUE).depth == 0


@pytest.mark.django_db(transaction=True)
def test_messages_are_visible_only_after_the_callers_commit(second_connection):
    with transaction.atomic():
        create_tasks([request()] * 5)
        before = second_connection(COUNT)

    assert (before, second_connection(COUNT)) == (0, 5)
