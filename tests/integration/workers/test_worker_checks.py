"""What a worker's probes say: its slots, its queues, its templates and handlers, in each state."""

import time
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from orchestration.client import create_task
from orchestration.health import DEGRADED, HEALTHY, UNHEALTHY
from orchestration.runtime.pool_size import PoolSize
from orchestration.testing import linear
from templates_registry import registry
from templates_registry.models import NamedTask
from templates_registry.registry.finding import forget_found
from workers.context import Progress
from workers.executor import Execution
from workers.registry import HandlerRegistry
from workers.worker.self_checks import ProcessingCheck, ServedTemplates, check_stuck
from workers.worker.slots import Slots

pytestmark = pytest.mark.django_db
LONGEST = 60


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def slots() -> Slots:
    return Slots(PoolSize("handlers", minimum=2, maximum=2, database_share=lambda: 0.0))


def execution() -> Execution:
    claim: Any = type("Claim", (), {"workflow_step_uuid": uuid4(), "checkpoint": None})
    return Execution(claim, progress=Progress(), timeout_seconds=1)


def fill(slots: Slots, count: int = 2) -> list[Execution]:
    taken = [execution() for _ in range(count)]
    for each in taken:
        slots.take(each)
        each.started_at = time.monotonic()
    return taken


def deep_queue(messages: int) -> None:
    registry.register(linear(1))
    for _ in range(messages):
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pgmq.send('worker_test_queue', '{}')")


# ---------------------------------------------------------------- queue_processing


@pytest.mark.parametrize(
    ("busy", "messages", "status"),
    [
        (0, 0, HEALTHY),
        (1, 20, HEALTHY),
        (2, 0, HEALTHY),
        (2, 10, HEALTHY),
        (2, 11, DEGRADED),
        (2, 50, DEGRADED),
    ],
)
def test_queue_processing(slots, settings, busy, messages, status):
    settings.TASKER = {"queue_warning": 10}
    deep_queue(messages)
    fill(slots, busy)

    assert ProcessingCheck(slots, ["test"], longest_timeout=lambda: LONGEST)().status == status


def test_slots_that_may_grow_are_as_good_as_free(settings):
    settings.TASKER = {"queue_warning": 10}
    slots = Slots(PoolSize("handlers", minimum=2, maximum=4, database_share=lambda: 0.0))
    deep_queue(11)
    fill(slots)

    assert ProcessingCheck(slots, ["test"], longest_timeout=lambda: LONGEST)().status == HEALTHY


def test_queues_of_other_namespaces_do_not_count(slots, settings):
    settings.TASKER = {"queue_warning": 10}
    deep_queue(11)
    fill(slots)

    assert ProcessingCheck(slots, ["other"], longest_timeout=lambda: LONGEST)().status == HEALTHY


def test_free_slots_cost_no_query(slots, django_assert_num_queries):
    with django_assert_num_queries(0):
        ProcessingCheck(slots, ["test"], longest_timeout=lambda: LONGEST)()


def test_nothing_ended_for_ten_times_the_longest_timeout(slots):
    check = ProcessingCheck(slots, ["test"], longest_timeout=lambda: 0)
    assert check().status == HEALTHY, "an idle worker ends nothing either"
    first, _ = fill(slots)
    time.sleep(0.01)
    assert check().status == UNHEALTHY
    assert "nothing has ended" in check().message

    slots.free_slot(first)
    patient = ProcessingCheck(slots, ["test"], longest_timeout=lambda: 1)

    assert patient().status == HEALTHY
    assert slots.seconds_without_end < 1


def test_a_long_rest_is_no_standstill(slots):
    (first,) = fill(slots, 1)
    slots.free_slot(first)
    slots.run_times.last_end -= 3600
    assert slots.seconds_without_end == 0
    fill(slots, 1)

    assert slots.seconds_without_end < 1


def test_results_that_cannot_be_stored_are_unhealthy(slots):
    slots.are_reports_failing = True

    assert ProcessingCheck(slots, ["test"], longest_timeout=lambda: 1)().status == UNHEALTHY


def test_before_the_first_run_there_are_no_times(slots):
    assert (slots.run_times.average_ms, slots.run_times.last_end_at) == (None, None)


def test_runs_are_timed(slots):
    first, second = fill(slots)
    assert first.started_at is not None
    first.started_at -= 0.1
    second.started_at = None  # given back before it began

    slots.free_slot(first)
    slots.free_slot(second)

    average = slots.run_times.average_ms
    assert average is not None
    assert 100 <= average < 200
    assert slots.run_times.last_end_at is not None


# ---------------------------------------------------------------- stuck_handlers


@pytest.mark.parametrize(
    ("overdue", "status"), [(0, HEALTHY), (1, DEGRADED), (2, DEGRADED), (3, UNHEALTHY)]
)
def test_stuck_handlers(overdue, status):
    slots = Slots(PoolSize("handlers", minimum=5, maximum=5, database_share=lambda: 0.0))
    for each in fill(slots, 4)[:overdue]:
        each.is_overdue = True

    assert check_stuck(slots).status == status


# ---------------------------------------------------------------- templates, handlers


class Echo:
    def call(self, context: Any) -> None:
        """Do nothing."""


@pytest.fixture
def served():
    """Return a look at the namespace `test`, whose handler of the shapes resolves."""
    chain = HandlerRegistry.instance().resolver_chain
    chain.register("test.echo", Echo())
    registry.register(linear(2))
    now = Time()
    yield ServedTemplates(["test"], clock=now), now
    explicit = chain.explicit_resolver
    assert explicit is not None
    explicit.unregister("test.echo")


def test_templates_and_handlers_that_are_fine(served):
    look, _ = served

    assert look.check_templates() == (HEALTHY, "1 templates can be read")
    assert look.check_handlers().status == HEALTHY


def test_a_handler_that_does_not_resolve(served):
    look, now = served
    assert look.check_handlers().status == HEALTHY
    broken = linear(1, name="broken")
    step = broken.steps[0]
    handler = step.handler.model_copy(update={"callable": "nowhere.at_all"})
    steps = [step.model_copy(update={"handler": handler})]
    registry.register(broken.model_copy(update={"steps": steps}))

    assert look.check_handlers().status == HEALTHY, "it looks every half minute"
    now.now += 30
    assert look.check_handlers() == (UNHEALTHY, "1 callables do not resolve")
    assert look.check_templates().status == HEALTHY


def test_a_template_that_cannot_be_read(served):
    look, _ = served
    forget_found()
    NamedTask.objects.filter(name="linear_2").update(configuration={"name": "linear_2"})

    assert look.check_templates() == (UNHEALTHY, "1 of 1 templates cannot be read")
    assert look.check_handlers().status == HEALTHY


def test_the_longest_timeout_of_a_step_is_known(served):
    look, now = served
    assert look.look().longest_timeout_seconds == 300  # of the setting
    slow = linear(1, name="slow")
    steps = [slow.steps[0].model_copy(update={"timeout_seconds": 900})]
    registry.register(slow.model_copy(update={"steps": steps}))
    now.now += 30

    assert look.look().longest_timeout_seconds == 900
    assert create_task("slow", namespace="test").created
