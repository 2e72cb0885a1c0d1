"""Domain events of steps: when they fire, what they hold, and that they harm no step."""

import json
import threading
import time

import pytest
from django.db import connections, transaction

from orchestration import metrics
from orchestration.messaging import pgmq
from orchestration.models import WorkflowStep
from orchestration.runtime.pool_size import PoolSize
from templates_registry.models import TaskNamespace
from workers import (
    BasePublisher,
    Checkpoint,
    InProcessDomainEvent,
    PermanentError,
    PublisherRegistry,
    RetryableError,
    step_handler,
)
from workers.domain_events import bus, collect_events
from workers.executor import publishing
from workers.worker.reporting import Reporter
from workers.worker.slots import Slots

QUEUE = "bench_domain_events"


@pytest.fixture(autouse=True)
def _own_publishers():
    PublisherRegistry.reset()
    yield
    PublisherRegistry.reset()


def durable_events():
    return [each.body for each in pgmq.read(QUEUE, limit=100, visibility_seconds=0)]


def names(events):
    return [event["event_name"] for event in events]


class Desk:
    """Runs claims of a bench and reports them as a worker does."""

    def __init__(self, bench):
        self.bench = bench
        slots = Slots(PoolSize("handlers", minimum=9, maximum=9, database_share=lambda: 0.0))
        self.reporter = Reporter(slots, worker_id="bench", on_settled=lambda: None)
        self.reporter.report_apart = bench.executor.report_apart

    def run(self, handler, events, /, **step):
        """Run one step with these declarations and store its report; return the claim."""
        claim = self.claim(handler, events, **step)
        self.run_claim(claim)
        return claim

    def claim(self, handler, events, /, **step):
        self.bench.handle(step_handler("ignored", atomic=step.pop("atomic", False))(handler))
        return self.bench.claim(publishes_events=events, **step)

    def run_claim(self, claim):
        self.bench.run(claim)
        self.store()

    def store(self):
        for execution, report in self.bench.done:
            self.reporter.deliver(execution, report)
        self.bench.done.clear()
        while self.reporter.run_once():
            pass


@pytest.fixture
def desk(bench):
    return Desk(bench)


@pytest.fixture
def committing_desk(committing_bench):
    return Desk(committing_bench)


def succeed():
    return {"amount": 12}


def fail_for_now():
    raise RetryableError("later", error_code="BUSY")


def fail_for_good():
    raise PermanentError("no", error_code="NO")


CONDITIONS = ["success", "failure", "retryable_failure", "permanent_failure", "always"]
ON_ALL = [{"name": f"on.{each}", "condition": each} for each in CONDITIONS]


# --- when


@pytest.mark.parametrize(
    ("handler", "retry", "fired"),
    [
        (succeed, {}, ["success", "always"]),
        (fail_for_now, {}, ["failure", "retryable_failure", "always"]),
        (fail_for_now, {"max_attempts": 1}, ["failure", "permanent_failure", "always"]),
        (fail_for_now, {"max_attempts": 0}, ["failure", "permanent_failure", "always"]),
        (fail_for_now, {"retryable": False}, ["failure", "permanent_failure", "always"]),
        (fail_for_good, {}, ["failure", "permanent_failure", "always"]),
        (lambda: {"x": object()}, {}, ["failure", "permanent_failure", "always"]),
    ],
)
def test_a_condition_judges_what_becomes_of_the_step(desk, handler, retry, fired):
    desk.run(handler, ON_ALL, retry=retry)

    assert names(durable_events()) == [f"on.{each}" for each in fired]


def test_a_checkpoint_publishes_nothing(desk):
    ends = iter([Checkpoint(1, 1), {"done": True}])

    desk.run(lambda: next(ends), [{"name": "step.reported", "condition": "always"}])

    (event,) = durable_events()
    assert event["payload"]["payload"] == {"done": True}


def test_an_unresolved_handler_publishes_its_failure(desk):
    claim = desk.bench.claim(
        publishes_events=ON_ALL, handler={"callable": "nobody.knows"}, retry={"max_attempts": 3}
    )

    desk.run_claim(claim)

    assert names(durable_events()) == ["on.failure", "on.permanent_failure", "on.always"]


# --- what


def test_a_durable_event_holds_payload_step_and_whole_result(desk):
    claim = desk.run(succeed, [{"name": "payment.captured"}], handler={"initialization": {"a": 1}})

    (event,) = durable_events()
    assert event["event_version"] == "1.0"
    assert event["payload"]["payload"] == {"amount": 12}
    assert event["payload"]["execution_result"] == (
        WorkflowStep.objects.get(pk=claim.workflow_step_uuid).results
    )
    step = event["payload"]["task_sequence_step"]
    assert step["workflow_step"]["name"] == "only"
    assert step["step_definition"]["handler"]["initialization"] == {"a": 1}
    assert event["execution_result"].pop("execution_time_ms") >= 0
    assert event["execution_result"] == {
        "success": True,
        "result": {"amount": 12},
        "error_message": None,
        "error_type": None,
    }
    about = event["metadata"]
    assert about.pop("fired_at")
    assert about == {
        "task_uuid": str(claim.task_uuid),
        "step_uuid": str(claim.workflow_step_uuid),
        "step_name": "only",
        "namespace": "bench",
        "correlation_id": str(claim.correlation_id),
        "fired_by": "default",
    }


def test_a_failure_tells_why_and_has_an_empty_payload(desk):
    desk.run(fail_for_good, [{"name": "payment.refused", "condition": "failure"}])

    (event,) = durable_events()
    assert event["payload"]["payload"] == {}
    assert event["execution_result"]["error_message"] == "no"
    assert event["execution_result"]["error_type"] == "permanent_error"
    assert event["payload"]["execution_result"]["metadata"]["error_code"] == "NO"


def test_the_step_in_an_event_is_as_it_was_claimed(desk):
    def spoil(context):
        context.input_data["order"]["lines"].clear()
        context.input_data["open"] = open  # not JSON

    desk.run(spoil, [{"name": "order.seen"}], context={"order": {"lines": [1, 2]}})

    (event,) = durable_events()
    task = event["payload"]["task_sequence_step"]["task"]["task"]
    assert task["context"] == {"order": {"lines": [1, 2]}}


# --- how


def test_modes_go_their_ways_and_broadcast_goes_both_under_one_id(desk):
    declared = [
        {"name": f"by.{mode}", "delivery_mode": mode} for mode in ("durable", "fast", "broadcast")
    ]
    channel = bus.bus().open()
    with collect_events() as collected:
        desk.run(succeed, declared)
    bus.bus().close(channel)

    queued = durable_events()
    taken = channel.take(10, within_seconds=0)
    fast = [each for each in taken if isinstance(each, InProcessDomainEvent)]
    assert names(queued) == ["by.durable", "by.broadcast"]
    assert [each.event_name for each in fast] == ["by.fast", "by.broadcast"]
    assert fast[1].event_id == queued[1]["event_id"]
    assert fast[0].payload == {"amount": 12}
    assert [each.event_name for each in collected] == ["by.durable", "by.fast", "by.broadcast"]


def test_many_steps_report_their_events_in_one_statement(desk, django_assert_num_queries):
    declared = [{"name": "step.done"}, {"name": "step.seen", "condition": "always"}]
    for _ in range(3):
        desk.bench.run(desk.claim(succeed, declared))
    desk.bench.run(desk.claim(succeed, []))

    with django_assert_num_queries(1):
        desk.store()

    assert names(durable_events()) == ["step.done", "step.seen"] * 3
    assert set(WorkflowStep.objects.values_list("state", flat=True)) == {
        "enqueued_for_orchestration"
    }


def test_a_step_without_events_takes_the_plain_statement(desk, django_assert_num_queries):
    desk.bench.run(desk.claim(succeed, [{"name": "never.fired", "condition": "failure"}]))

    with django_assert_num_queries(1) as queries:
        desk.store()

    assert "tasker_report_steps(" in queries[0]["sql"]
    assert durable_events() == []


def test_a_stale_report_publishes_nothing(desk):
    claim = desk.claim(succeed, [{"name": "a.b", "delivery_mode": "broadcast"}])
    desk.bench.run(claim)
    with connections["default"].cursor() as cursor:
        key = {"step_uuid": str(claim.workflow_step_uuid), "state_version": claim.state_version}
        cursor.execute("SELECT tasker_release_steps(%s::jsonb)", [json.dumps([key])])

    with collect_events() as collected:
        desk.store()

    assert durable_events() == []
    assert collected == []


def test_a_report_that_is_rolled_back_takes_its_events_with_it(committing_desk):
    desk = committing_desk
    desk.bench.run(desk.claim(succeed, [{"name": "a.b"}]))

    with transaction.atomic():
        desk.store()
        assert names(durable_events()) == ["a.b"]
        transaction.set_rollback(True)

    assert durable_events() == []
    assert WorkflowStep.objects.get().state == "in_progress"


# --- atomic handlers


def write(name):
    TaskNamespace.objects.create(name=name)


def test_an_atomic_handlers_writes_result_and_events_commit_together(committing_desk):
    def handler():
        write("inside")
        return {"a": 1}

    with collect_events() as collected:
        committing_desk.run(handler, [{"name": "a.b", "delivery_mode": "broadcast"}], atomic=True)

    assert names(durable_events()) == ["a.b"]
    assert [each.event_name for each in collected] == ["a.b"]
    assert TaskNamespace.objects.filter(name="inside").exists()


def test_a_failing_atomic_handler_publishes_its_failure_alone(committing_desk):
    def handler():
        write("inside")
        raise PermanentError("no")

    committing_desk.run(handler, ON_ALL, atomic=True)

    assert names(durable_events()) == ["on.failure", "on.permanent_failure", "on.always"]
    assert not TaskNamespace.objects.filter(name="inside").exists()


class BadStatement(BasePublisher):
    publisher_name = "bad"

    def transform_payload(self, ctx):
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT no_such_column")


def test_a_publishers_broken_statement_leaves_an_atomic_handlers_writes_alone(committing_desk):
    PublisherRegistry.instance().register(BadStatement())

    def handler():
        write("inside")

    committing_desk.run(handler, [{"name": "a.b", "publisher": "bad"}], atomic=True)

    assert durable_events() == []
    assert TaskNamespace.objects.filter(name="inside").exists()
    assert WorkflowStep.objects.get().state == "enqueued_for_orchestration"


# --- what goes wrong


class Odd(BasePublisher):
    """A publisher one of whose hooks does something odd; notes what it is told."""

    publisher_name = "odd"

    def __init__(self, **hooks):
        self.told = []
        for name, hook in hooks.items():
            setattr(self, name, hook)

    def after_publish(self, event_name, payload, metadata):
        self.told.append("after")

    def on_publish_error(self, event_name, error, payload):
        self.told.append(type(error).__name__)


def explode(*arguments):
    raise ValueError("odd")


def leave(*arguments):
    raise SystemExit(1)


@pytest.mark.parametrize(
    ("hooks", "told"),
    [
        ({"should_publish": explode}, "ValueError"),
        ({"transform_payload": explode}, "ValueError"),
        ({"transform_payload": leave}, "SystemExit"),
        ({"transform_payload": lambda ctx: [1]}, "PayloadRefusedError"),
        ({"transform_payload": lambda ctx: {"x": object()}}, "NotSerializable"),
        ({"transform_payload": lambda ctx: {"x": "\x00"}}, "NotSerializable"),
        ({"transform_payload": lambda ctx: {"x": 10**5000}}, "NotSerializable"),
        ({"additional_metadata": explode}, "ValueError"),
        ({"before_publish": explode}, "ValueError"),
    ],
)
def test_a_publisher_that_fails_costs_its_own_event_alone(desk, hooks, told):
    odd = Odd(**hooks)
    PublisherRegistry.instance().register(odd)
    before = metrics.EVENTS_FAILED.value

    claim = desk.run(
        succeed,
        [{"name": "first.one"}, {"name": "odd.one", "publisher": "odd"}, {"name": "last.one"}],
    )

    assert names(durable_events()) == ["first.one", "last.one"]
    step = WorkflowStep.objects.get(pk=claim.workflow_step_uuid)
    assert step.state == "enqueued_for_orchestration"
    assert step.results
    assert step.results["result"] == {"amount": 12}
    assert odd.told == [told]
    assert metrics.EVENTS_FAILED.value == before + 1


@pytest.mark.parametrize("hook", ["should_publish", "before_publish"])
def test_a_publisher_may_skip_an_event(desk, hook):
    odd = Odd(**{hook: lambda *arguments: False})
    PublisherRegistry.instance().register(odd)
    before = metrics.EVENTS_FAILED.value

    desk.run(succeed, [{"name": "odd.one", "publisher": "odd"}])

    assert durable_events() == []
    assert odd.told == []
    assert metrics.EVENTS_FAILED.value == before


def test_a_payload_that_does_not_match_the_declared_schema_is_not_published(desk):
    odd = Odd(transform_payload=lambda ctx: {"amount": "twelve"})
    PublisherRegistry.instance().register(odd)
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}

    desk.run(
        succeed,
        [
            {"name": "odd.one", "publisher": "odd", "schema": schema},
            {"name": "good.one", "schema": schema},
        ],
    )

    assert names(durable_events()) == ["good.one"]
    assert odd.told == ["PayloadRefusedError"]


def test_a_publisher_shapes_payload_and_metadata(desk):
    seen = []

    def look(event_name, payload, metadata):
        seen.append((event_name, metadata))
        payload["late"] = True
        return True

    odd = Odd(
        transform_payload=lambda ctx: {"cents": ctx.result["amount"] * 100},
        additional_metadata=lambda ctx: {"region": "eu", "fired_by": "somebody else"},
        before_publish=look,
    )
    PublisherRegistry.instance().register(odd)

    desk.run(succeed, [{"name": "odd.one", "publisher": "odd"}])

    (event,) = durable_events()
    assert event["payload"]["payload"] == {"cents": 1200, "late": True}
    assert event["metadata"]["region"] == "eu"
    assert event["metadata"]["fired_by"] == "odd"
    ((name, metadata),) = seen
    assert name == "odd.one"
    assert metadata["publisher"] == "odd"
    assert metadata["step_name"] == "only"
    assert metadata["region"] == "eu"
    assert odd.told == ["after"]


def test_a_dropped_queue_comes_back_with_the_next_event(desk):
    TaskNamespace.objects.get_or_create(name="bench")
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pgmq.drop_queue(%s)", [QUEUE])

    desk.run(succeed, [{"name": "a.b"}])

    assert names(durable_events()) == ["a.b"]


def test_a_locked_queue_costs_the_event_and_not_the_step(committing_desk):
    desk = committing_desk
    odd = Odd()
    PublisherRegistry.instance().register(odd)
    declared = [
        {"name": f"a.{n}", "publisher": "odd", "delivery_mode": "broadcast"} for n in range(20)
    ]
    desk.bench.run(desk.claim(succeed, declared))
    locker = connections["default"].copy(alias="locker")
    try:
        locker.set_autocommit(False)
        with locker.cursor() as cursor:
            cursor.execute(f"LOCK TABLE pgmq.q_{QUEUE} IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with collect_events() as collected:
            desk.store()
        took_seconds = time.monotonic() - began
    finally:
        locker.rollback()
        locker.close()

    assert durable_events() == []
    assert len(collected) == 20  # in this process they are heard all the same
    assert odd.told == ["NotSentError"] * 20
    assert took_seconds < 10  # two waits of half a second, not one for each event
    assert WorkflowStep.objects.get().state == "enqueued_for_orchestration"


def test_a_result_that_postgresql_refuses_publishes_the_failure_that_it_becomes(committing_desk):
    desk = committing_desk
    desk.bench.run(desk.claim(lambda: {"x": 10**200_000}, ON_ALL))

    desk.store()
    wait_until(lambda: desk.bench.done)  # it comes back from a thread of its own
    desk.store()

    assert names(durable_events()) == ["on.failure", "on.permanent_failure", "on.always"]
    assert WorkflowStep.objects.get().state == "enqueued_as_error_for_orchestration"


def wait_until(condition, within=20):
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


# --- publishers that take too long


def busy(*arguments):
    while True:
        pass


def test_a_publisher_that_takes_too_long_is_interrupted(committing_desk, monkeypatch):
    monkeypatch.setattr(publishing, "LIMIT_SECONDS", 0.3)
    desk = committing_desk
    odd = Odd(transform_payload=busy)
    PublisherRegistry.instance().register(odd)

    desk.run(
        succeed,
        [{"name": "first.one"}, {"name": "odd.one", "publisher": "odd"}, {"name": "late.one"}],
    )

    assert names(durable_events()) == ["first.one"]
    assert odd.told == ["TimeoutError"]
    assert WorkflowStep.objects.get().state == "enqueued_for_orchestration"


def test_a_publisher_that_hangs_keeps_its_thread_and_not_the_result(
    committing_desk, monkeypatch, settings
):
    monkeypatch.setattr(publishing, "LIMIT_SECONDS", 0.1)
    settings.TASKER = {"environment": "test", "timeout_grace_seconds": 0}
    desk = committing_desk
    gate = threading.Event()
    odd = Odd(transform_payload=lambda ctx: {"gate": gate.wait(60)})
    PublisherRegistry.instance().register(odd)
    claim = desk.claim(succeed, [{"name": "odd.one", "publisher": "odd"}])
    execution = desk.bench.executor.begin(claim)
    thread = threading.Thread(target=run_and_close, args=(desk.bench.executor, execution))
    thread.start()

    wait_until(lambda: desk.bench.done)
    desk.store()

    assert thread.is_alive()
    assert execution.is_overdue
    assert WorkflowStep.objects.get().state == "enqueued_for_orchestration"
    gate.set()
    thread.join(20)
    assert desk.bench.done == []
    assert durable_events() == []


def run_and_close(executor, execution):
    executor.run(execution)
    connections.close_all()


def test_a_handler_past_its_timeout_publishes_that_failure(committing_desk, settings):
    settings.TASKER = {"environment": "test", "timeout_grace_seconds": 0}
    desk = committing_desk
    gate = threading.Event()
    claim = desk.claim(lambda: {"gate": gate.wait(60)}, ON_ALL, timeout_seconds=1)
    execution = desk.bench.executor.begin(claim)
    thread = threading.Thread(target=run_and_close, args=(desk.bench.executor, execution))
    thread.start()

    wait_until(lambda: desk.bench.done)
    desk.store()

    assert names(durable_events()) == ["on.failure", "on.retryable_failure", "on.always"]
    gate.set()
    thread.join(20)
    assert len(durable_events()) == 3


def test_an_unknown_publisher_is_warned_of_once_and_the_default_takes_over(desk, caplog):
    declared = [{"name": "a.b", "publisher": "nobody"}, {"name": "c.d", "publisher": "nobody"}]

    desk.run(succeed, declared)

    assert names(durable_events()) == ["a.b", "c.d"]
    assert [each.message for each in caplog.records].count("publisher.unknown") == 1
