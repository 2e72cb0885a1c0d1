"""Creation, engine.md 7.1: what is written, what is refused, and that it is all or nothing."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import transaction

from orchestration.client import create_task
from orchestration.errors import DuplicateTaskError, InvalidRequestError, NotFoundError
from orchestration.messaging import pgmq
from orchestration.models import Task, TaskTransition, WorkflowStep, WorkflowStepEdge
from orchestration.testing import TemplateFactory, diamond, linear, shape
from tests.factories.histories import LINEAR_4, states, step_histories, task_history
from tests.factories.ticks import run_to_the_end, start
from tests.processes import database_url

QUEUE = "worker_test_queue"
COUNT = "SELECT count(*) FROM pgmq.q_worker_test_queue"


@pytest.mark.django_db
def test_task_starts_in_the_transaction_that_creates_it():
    created = start(linear(4), {"a": 1}, actor="someone")

    assert created.created
    assert created.state == "steps_in_process"
    assert task_history(created.task_uuid) == "P I Q S"
    assert states(created.task_uuid) == {
        "step_1": "enqueued",
        "step_2": "pending",
        "step_3": "pending",
        "step_4": "pending",
    }
    assert pgmq.metrics(QUEUE).depth == 1


@pytest.mark.django_db
def test_first_message_names_task_and_step():
    created = start(linear(2))
    step = WorkflowStep.objects.get(name="step_1")

    (message,) = pgmq.read(QUEUE, limit=5, visibility_seconds=1)

    assert message.msg_id == step.queue_msg_id
    assert message.body == {
        "task_uuid": str(created.task_uuid),
        "step_uuid": str(step.pk),
        "correlation_id": str(created.correlation_id),
    }


@pytest.mark.django_db
def test_every_hop_of_a_creation_names_who_wanted_it():
    created = start(linear(1), actor="someone", reason="because")

    rows = TaskTransition.objects.filter(task_id=created.task_uuid)

    assert {(row.actor, row.metadata.get("reason")) for row in rows} == {("someone", "because")}


@pytest.mark.django_db
def test_task_keeps_what_the_request_said():
    request: dict[str, Any] = {
        "context": {"deep": [{"ü": None}], "n": 1.5},
        "priority": 7,
        "tags": ["a", "b"],
        "initiator": "someone",
        "source_system": "till",
        "reason": "because",
        "options": {"x": 1},
        "correlation_id": str(uuid4()),
        "parent_correlation_id": str(uuid4()),
        "requested_at": "2026-01-02T03:04:05+00:00",
        "idempotency_key": "k-1",
    }

    task = Task.objects.get(pk=start(linear(1), **request).task_uuid)

    kept = {name: getattr(task, name) for name in request}
    kept["requested_at"] = task.requested_at.isoformat()
    kept |= {name: str(kept[name]) for name in ("correlation_id", "parent_correlation_id")}
    assert kept == request


@pytest.mark.django_db
def test_steps_copy_what_steers_the_engine_from_the_template():
    said = {
        "handler": {"callable": "test.echo", "initialization": {"k": [1]}},
        "retry": {
            "max_attempts": 7,
            "backoff": "fibonacci",
            "backoff_base_ms": 20,
            "max_backoff_ms": 500,
        },
        "timeout_seconds": 9,
    }
    created = start(linear(2, steps={"step_1": said, "step_2": {"retry": {"retryable": False}}}))

    first, second = WorkflowStep.objects.filter(task_id=created.task_uuid).order_by("name")

    assert (first.max_attempts, first.retryable, first.timeout_seconds) == (7, True, 9)
    assert (first.backoff_strategy, first.backoff_base_ms, first.max_backoff_ms) == (
        "fibonacci",
        20,
        500,
    )
    assert first.inputs == {"k": [1]}
    assert (second.retryable, second.max_attempts, second.max_backoff_ms) == (False, 3, None)
    assert (first.named_step.name, second.named_step.name) == ("step_1", "step_2")


@pytest.mark.django_db
def test_edges_lead_from_parents_to_children():
    created = start(diamond())

    edges = WorkflowStepEdge.objects.filter(from_step__task_id=created.task_uuid)

    assert set(edges.values_list("from_step__name", "to_step__name", "name")) == {
        ("start", "left", "provides"),
        ("start", "right", "provides"),
        ("left", "join", "provides"),
        ("right", "join", "provides"),
    }


@pytest.mark.django_db
def test_running_task_keeps_its_revision_when_the_template_changes():
    first = start(linear(2, name="changing"))
    second = start(linear(3, name="changing"))

    counts = [
        WorkflowStep.objects.filter(task_id=each.task_uuid).count() for each in (first, second)
    ]

    assert counts == [2, 3]
    revisions = Task.objects.values_list("template_revision_id", flat=True)
    assert len(set(revisions)) == 2


@pytest.mark.django_db
def test_task_takes_the_latest_version_unless_one_is_named():
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        TemplateFactory.create(template=linear(1, name="versions", version=version))

    latest = create_task("versions", namespace="test")
    named = create_task("versions", namespace="test", version="1.2.0")

    tasks = Task.objects.select_related("named_task")
    assert tasks.get(pk=latest.task_uuid).named_task.version == "1.10.0"
    assert tasks.get(pk=named.task_uuid).named_task.version == "1.2.0"


@pytest.mark.django_db
def test_task_waits_when_it_is_not_to_start():
    created = start(linear(2), start=False)

    assert created.state == "pending"
    assert task_history(created.task_uuid) == "P"
    assert pgmq.metrics(QUEUE).depth == 0


@pytest.mark.django_db(transaction=True)
def test_task_that_waits_wakes_discovery():
    with psycopg.connect(database_url(), autocommit=True) as listening:
        listening.execute("LISTEN tasker_due_work")

        start(linear(2), start=False)

        assert [note.channel for note in listening.notifies(timeout=5, stop_after=1)]


@pytest.mark.django_db
def test_task_waits_when_its_namespace_is_backlogged(settings):
    settings.TASKER = {**settings.TASKER, "high_water_messages": 10}
    wide = shape("wide", {f"root_{n}": [] for n in range(10)})

    first = start(wide)
    second = start(wide)

    assert (first.state, second.state) == ("steps_in_process", "pending")
    assert task_history(second.task_uuid) == "P"


@pytest.mark.django_db
def test_bypassed_step_counts_as_done():
    created = start(linear(3), bypass_steps=["step_1", "step_1"])

    histories = step_histories(created.task_uuid)
    assert histories["step_1"] == "pending resolved_manually:resolve_manually"
    assert histories["step_2"] == "pending enqueued"
    assert Task.objects.get(pk=created.task_uuid).bypass_steps == ["step_1"]


@pytest.mark.django_db
def test_task_completes_at_once_when_all_steps_are_bypassed():
    created = start(linear(2), bypass_steps=["step_1", "step_2"])

    assert created.state == "complete"
    assert task_history(created.task_uuid) == "P I C"
    assert Task.objects.get(pk=created.task_uuid).completed_at is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"bypass_steps": ["step_1", "nothing"]}, "bypass_steps[1]"),
        ({"context": {"n": "x"}}, "context.n"),
        ({"priority": 101}, "priority"),
        ({"tags": ["x" * 129]}, "tags[0]"),
        ({"context": {"a": "\x00"}}, "context"),
        ({"context": {"a": "x" * 1_048_576}}, "context"),
        ({"idempotency_key": "ü"}, "idempotency_key"),
    ],
)
def test_nothing_is_written_when_a_request_is_refused(request_, path):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    template = linear(2, name="checked", validate_input=True, input_schema=schema)

    with pytest.raises(InvalidRequestError) as refusal:
        start(template, **request_)

    assert [problem.path for problem in refusal.value.problems] == [path]
    assert not Task.objects.exists()
    assert not WorkflowStep.objects.exists()
    assert pgmq.metrics(QUEUE).depth == 0


@pytest.mark.django_db
def test_unknown_template_is_not_found_and_the_nearest_is_named():
    TemplateFactory.create(template=linear(1, name="process_order"))

    with pytest.raises(NotFoundError, match="process_order"):
        create_task("proces_order", namespace="test")


@pytest.mark.django_db
def test_task_that_would_begin_with_more_steps_than_allowed_is_refused(settings):
    TemplateFactory.create(template=linear(2))
    settings.TASKER = {**settings.TASKER, "max_steps_per_task": 1}

    with pytest.raises(InvalidRequestError, match="max_steps_per_task"):
        create_task("linear_2", namespace="test")

    assert not Task.objects.exists()


@pytest.mark.django_db
def test_unknown_keyword_is_refused():
    with pytest.raises(TypeError, match="prio"):
        start(linear(1), prio=1)


# ------------------------------------------------------------ identity


@pytest.mark.django_db
def test_same_request_with_its_key_finds_the_first_task():
    first = start(linear(1), {"a": 1}, idempotency_key="k")
    run_to_the_end()

    again = start(linear(1), {"a": 1}, idempotency_key="k")

    assert again == first._replace(created=False, state="complete")
    assert Task.objects.count() == 1


@pytest.mark.django_db
def test_other_request_with_the_same_key_is_refused_without_naming_the_first():
    first = start(linear(1), {"a": 1}, idempotency_key="k")

    with pytest.raises(DuplicateTaskError) as refusal:
        start(linear(1), {"a": 2}, idempotency_key="k")

    assert str(first.task_uuid) not in str(refusal.value)
    assert Task.objects.count() == 1


@pytest.mark.django_db
def test_key_finds_its_task_across_versions():
    first = start(linear(1, name="deployed", version="1.0.0"), idempotency_key="k")

    again = start(linear(1, name="deployed", version="2.0.0"), idempotency_key="k")

    assert again.task_uuid == first.task_uuid


@pytest.mark.django_db
def test_same_context_is_refused_when_the_template_is_strict():
    strict = linear(1, name="strict", identity_strategy="strict")
    start(strict, {"a": 1})

    with pytest.raises(DuplicateTaskError):
        start(strict, {"a": 1})

    assert start(strict, {"a": 2}).created


@pytest.mark.django_db
def test_key_is_demanded_when_the_caller_must_provide_it():
    template = linear(1, name="careful", identity_strategy="caller_provided")

    with pytest.raises(InvalidRequestError, match="idempotency_key"):
        start(template)

    assert start(template, idempotency_key="k").created


# ------------------------------------------------------------ A13


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_when_the_callers_transaction_rolls_back():
    TemplateFactory.create(template=linear(4))

    def create_and_fail() -> None:
        with transaction.atomic():
            create_task("linear_4", namespace="test")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        create_and_fail()

    assert not Task.objects.exists()
    assert not TaskTransition.objects.exists()
    assert pgmq.metrics(QUEUE).depth == 0


@pytest.mark.django_db(transaction=True)
def test_message_is_visible_only_after_the_callers_commit(second_connection):
    TemplateFactory.create(template=linear(4))

    with transaction.atomic():
        created = create_task("linear_4", namespace="test")
        before = second_connection(COUNT)

    assert before == 0
    assert second_connection(COUNT) == 1
    run_to_the_end()
    assert task_history(created.task_uuid) == LINEAR_4
