"""POST /v1/tasks while the engine is behind: each row of api-and-operations 1.15, made for real."""

import time
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from orchestration import backpressure, metrics
from orchestration.client import create_task, request_task
from orchestration.errors import BackpressureError, CircuitOpenError
from orchestration.messaging.messages import worker_queue
from orchestration.models import Task
from orchestration.runtime.breaker import MESSAGING, State, breaker
from templates_registry import registry
from tests.factories.ticks import assert_invariants

pytestmark = pytest.mark.django_db
commits = pytest.mark.django_db(transaction=True)
WANTED: dict[str, Any] = {"name": "linear_2", "namespace": "test"}


def fill_queue(count: int, namespace: str = "test") -> None:
    if not count:
        return
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pgmq.send_batch(%s, array_fill('{}'::jsonb, ARRAY[%s]))",
            [worker_queue(namespace), count],
        )


def code_of(answer: Any) -> tuple[int, str, int]:
    error = answer.json()["error"]
    assert answer.headers["Retry-After"] == str(error["retry_after_seconds"])
    return answer.status_code, error["code"], error["retry_after_seconds"]


@pytest.mark.parametrize(
    ("messages", "refused"),
    [
        (0, None),
        (499, None),
        (500, (503, "BACKPRESSURE", 30)),
        (999, (503, "BACKPRESSURE", 30)),
        (1000, (503, "BACKPRESSURE", 60)),
        (3000, (503, "BACKPRESSURE", 60)),
    ],
)
def test_a_deep_queue(api, template, messages, refused):
    fill_queue(messages)

    answer = api.post("/v1/tasks", WANTED)

    if refused is None:
        assert answer.status_code == 201
    else:
        assert code_of(answer) == refused
        assert "'test'" in answer.json()["error"]["message"]
        assert not Task.objects.exists()


def test_tasks_that_wait_count_like_messages(api, template, settings):
    settings.TASKER = {"queue_warning": 1, "queue_critical": 8, "queue_overflow": 12}
    for _ in range(5):
        create_task(**WANTED, start=False)
    fill_queue(3)

    assert code_of(api.post("/v1/tasks", WANTED)) == (503, "BACKPRESSURE", 30)


def test_the_work_of_another_namespace_does_not_count(api, template, settings):
    fill_queue(1000, "test")
    registry.register(
        registry.find("test", template).template.model_copy(update={"namespace_name": "other"})
    )

    assert api.post("/v1/tasks", WANTED | {"namespace": "other"}).status_code == 201
    assert api.post("/v1/tasks", WANTED).status_code == 503


def test_it_may_be_switched_off(api, template, settings):
    settings.TASKER = {"backpressure_enabled": False}
    fill_queue(1000)

    assert api.post("/v1/tasks", WANTED).status_code == 201


def test_a_late_engine(api, template, settings):
    settings.TASKER = {"orchestration_lag_seconds": 1}
    request_task("linear_2", namespace="test")
    assert api.post("/v1/tasks", WANTED).status_code == 201
    settings.TASKER = {"orchestration_lag_seconds": 1, "backpressure_refresh_seconds": 1}
    time.sleep(1.1)

    assert code_of(api.post("/v1/tasks", WANTED)) == (503, "BACKPRESSURE", 15)


def test_a_message_that_was_put_off_does_not_make_the_engine_late(api, template, settings):
    request_task("linear_2", namespace="test")
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE pgmq.q_orchestration_task_requests SET enqueued_at = now() - interval '1 hour',"
            " vt = now() - interval '1 second'"
        )

    assert api.post("/v1/tasks", WANTED).status_code == 201


@commits
def test_no_free_connection(api, template, web_pool):
    with web_pool(min_size=1, max_size=1, timeout=0.2):
        connection: Any = connections["default"]
        connection.pool.open()
        held = connection.pool.getconn()
        began = time.monotonic()
        try:
            answer = api.post("/v1/tasks", WANTED)
        finally:
            connection.pool.putconn(held)

        assert code_of(answer) == (503, "SERVICE_UNAVAILABLE", 5)
        assert time.monotonic() - began < 0.4, "it waited twice"
        assert api.post("/v1/tasks", WANTED).status_code == 201


@pytest.fixture
def broken_pgmq(template):
    """Take a function of PGMQ away while the rest of the database works; give it back."""
    rename = "ALTER FUNCTION pgmq.%s(text, jsonb[], jsonb[], timestamptz) RENAME TO %s"
    with connections["default"].cursor() as cursor:
        cursor.execute(rename % ("send_batch", "hidden"))
    yield
    with connections["default"].cursor() as cursor:
        cursor.execute(rename % ("hidden", "send_batch"))


@commits
def test_sends_that_fail_open_the_breaker(api, broken_pgmq):
    failed = [api.post("/v1/tasks", WANTED).json()["error"]["code"] for _ in range(3)]

    assert failed == ["DATABASE_ERROR"] * 3
    assert code_of(api.post("/v1/tasks", WANTED)) == (503, "CIRCUIT_BREAKER_OPEN", 15)
    with pytest.raises(CircuitOpenError):
        create_task(**WANTED, respect_backpressure=True)
    assert api.get("/v1/tasks").status_code == 200
    assert not Task.objects.exists()


def test_one_creation_at_a_time_tries_whether_sends_work_again(api, template, settings, eventually):
    settings.TASKER = {"breaker_messaging": "1,60,1,2"}
    breaker(MESSAGING).record(is_failure=True)
    assert code_of(api.post("/v1/tasks", WANTED)) == (503, "CIRCUIT_BREAKER_OPEN", 1)
    eventually(lambda: breaker(MESSAGING).state is State.HALF_OPEN)

    with breaker(MESSAGING).admit():
        assert api.post("/v1/tasks", WANTED).status_code == 503
    assert [api.post("/v1/tasks", WANTED).status_code for _ in range(2)] == [201, 201]

    assert breaker(MESSAGING).state is State.CLOSED


# ---------------------------------------------------------------- what works all the same


@pytest.fixture(params=["pressure", "messaging"])
def trouble(request, api, template, monkeypatch) -> dict[str, Any]:
    """Make a task, then a moment in which no other may be made; return its request."""
    wanted = {**WANTED, "idempotency_key": "k", "context": {"a": 1}}
    first = api.post("/v1/tasks", wanted)
    assert first.status_code == 201
    if request.param == "pressure":
        fill_queue(1000)
        monkeypatch.setattr(backpressure, "_backpressure", backpressure.Backpressure())  # look anew
    else:
        for _ in range(3):
            breaker(MESSAGING).record(is_failure=True)
    return {"wanted": wanted, "uuid": first.json()["task_uuid"]}


def test_a_replay_is_answered(api, trouble):
    assert api.post("/v1/tasks", WANTED).status_code == 503

    again = api.post("/v1/tasks", trouble["wanted"])
    other = api.post("/v1/tasks", trouble["wanted"] | {"context": {"a": 2}})
    fresh = api.post("/v1/tasks", trouble["wanted"] | {"idempotency_key": "new"})

    assert (again.status_code, again.json()["task_uuid"]) == (200, trouble["uuid"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 409
    assert fresh.status_code == 503
    assert Task.objects.count() == 1


def test_reads_and_actions_of_operators_work(api, trouble):
    path = f"/v1/tasks/{trouble['uuid']}"

    assert api.get(path).status_code == 200
    assert api.get("/v1/tasks").status_code == 200
    assert api.delete(path).status_code == 200


def test_mistakes_are_told_before(api, trouble):
    assert api.post("/v1/tasks", {"name": 5}).status_code == 400


def test_python_code_is_turned_away_only_when_it_wants_to(template):
    fill_queue(1000)

    assert create_task(**WANTED).created
    refusals = metrics.BACKPRESSURE_REJECTIONS.value
    with pytest.raises(BackpressureError) as caught:
        create_task(**WANTED, respect_backpressure=True)

    assert caught.value.retry_after_seconds == 60
    assert metrics.BACKPRESSURE_REJECTIONS.value == refusals + 1
    assert metrics.BACKPRESSURE_LEVEL.value == 3
    assert Task.objects.count() == 1


def test_python_code_that_wants_to_creates_while_all_is_well(template):
    assert create_task(**WANTED, respect_backpressure=True, idempotency_key=str(uuid4())).created
    assert_invariants()
