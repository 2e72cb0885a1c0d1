"""Messages that nobody can use, among good ones, on every queue of real processes: scenario X12.

What cannot be read is archived with a DLQ entry at once, what cannot be processed after five reads;
what names nothing that is current is deleted. The queue goes on.
"""

import json
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from django.db import connections

from orchestration.client import request_task
from orchestration.messaging import pgmq
from orchestration.messaging.messages import REQUESTS_QUEUE, RESULTS_QUEUE, worker_queue
from orchestration.models import DlqEntry, Task, WorkflowStep
from orchestration.testing import linear, shape
from tests.clusters import Cluster
from tests.crashing import ask
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, RAN_ONCE, states, step_histories, task_history
from tests.handlers.trouble import poisonous_steps

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
WORKER_QUEUE = worker_queue("test")
NONSENSE = ["nonsense", 7, [], {}, {"step_uuid": "x"}, {"task_uuid": str(uuid4())}]
READS = 5
# `hurry` may show a message to the second orchestrator while the first one still has it.
POISON_READS = {READS, READS + 1}
Bad = dict[int, object]  # message id → body


def send_between(queue: str, bodies: list[object], good) -> tuple[Bad, list[UUID]]:
    """Send bad messages, with a good task started before and after each."""
    sent, made = {}, [good()]
    for body in bodies:
        sent[pgmq.send(queue, cast("dict[str, Any]", body))] = body
        made.append(good())
    return sent, made


def start_chain() -> UUID:
    return ticks.start(linear(4)).task_uuid


def archived(queue: str) -> dict[int, int]:
    """Return how often each archived message was read."""
    return dict(ask(f"SELECT msg_id, read_ct FROM pgmq.a_{queue}"))  # noqa: S608


def entries(queue: str) -> Bad:
    """Return the messages of the DLQ entries of a queue."""
    found = DlqEntry.objects.filter(queue_name=queue)
    assert set(found.values_list("dlq_reason", flat=True)) <= {"poison_message"}
    assert found.count() == found.values("msg_id").distinct().count()
    return {msg_id: message for msg_id, message in found.values_list("msg_id", "message") if msg_id}


def hurry(queue: str) -> None:
    """Let the time pass that a message rests after a failure."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f"UPDATE pgmq.q_{queue} SET vt = clock_timestamp()")  # noqa: S608


def works_off(cluster: Cluster, queue: str, *, within: float = 40) -> None:
    """Wait until a queue is empty, whatever rests in it."""

    def is_empty() -> bool:
        hurry(queue)
        return not pgmq.metrics(queue).depth

    cluster.waits(is_empty, within=within)


# ------------------------------------------------------------ the workers' queue


def test_bad_step_messages_do_not_keep_a_worker_from_the_good_ones(own_cluster: Cluster):
    own_cluster.orchestrator()
    own_cluster.worker("test", "--slots", "2")
    done = own_cluster.run(linear(1))
    finished = WorkflowStep.objects.get(task_id=done)
    foreign: list[object] = [
        {"task_uuid": str(uuid4()), "step_uuid": str(uuid4()), "correlation_id": str(uuid4())},
        {"task_uuid": str(done), "step_uuid": str(finished.pk)},
    ]

    bad, made = send_between(WORKER_QUEUE, [*NONSENSE, *foreign], start_chain)
    own_cluster.reaches(made, ["complete"], within=40)
    own_cluster.waits(lambda: pgmq.metrics(WORKER_QUEUE).depth == 0)

    malformed = {msg_id: body for msg_id, body in bad.items() if body not in foreign}
    assert entries(WORKER_QUEUE) == malformed
    assert archived(WORKER_QUEUE) == dict.fromkeys(malformed, 1)
    assert {task_history(uuid) for uuid in made} == {LINEAR_4}
    for uuid in made:
        assert set(step_histories(uuid).values()) == {RAN_ONCE}
    assert task_history(done) == "P I Q S E C"


# ------------------------------------------------------------ results


@pytest.fixture
def poison() -> Iterator[None]:
    with poisonous_steps():
        yield


def test_bad_results_do_not_keep_orchestrators_from_the_good_ones(poison, own_cluster: Cluster):
    for _ in range(2):
        own_cluster.orchestrator()
    own_cluster.worker("test", "--slots", "4")
    unknown: list[object] = [{"task_uuid": str(uuid4()), "step_uuid": str(uuid4())}]
    poisonous = [ticks.start(shape("poison", {"poison": []})).task_uuid for _ in range(3)]

    bad, made = send_between(RESULTS_QUEUE, [*NONSENSE, *unknown], start_chain)
    own_cluster.reaches(made, ["complete"], within=40)
    reported = WorkflowStep.objects.filter(name="poison", state="enqueued_for_orchestration")
    own_cluster.waits(lambda: reported.count() == 3)
    works_off(own_cluster, RESULTS_QUEUE)

    found = entries(RESULTS_QUEUE)
    reads = archived(RESULTS_QUEUE)
    assert bad.items() <= found.items()
    assert {reads[msg_id] for msg_id in bad} <= {0, 1}  # 0: taken and archived in one transaction
    of_poison = {msg_id: found[msg_id] for msg_id in found.keys() - bad.keys()}
    assert sorted(message["task_uuid"] for message in of_poison.values()) == sorted(  # type: ignore[index]
        map(str, poisonous)
    )
    assert {reads[msg_id] for msg_id in of_poison} <= POISON_READS
    assert {task_history(uuid) for uuid in made} == {LINEAR_4}
    for uuid in poisonous:
        assert states(uuid) == {"poison": "enqueued_for_orchestration"}
    # Once the cause is gone the sweep sends the results again: here at once, by hand.
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TRIGGER tests_refuse ON tasker_workflow_steps")
        for step in reported:
            body = {"task_uuid": str(step.task_id), "step_uuid": str(step.pk)}
            cursor.execute("SELECT pgmq.send(%s, %s)", [RESULTS_QUEUE, json.dumps(body)])
    own_cluster.settles(*poisonous)


# ------------------------------------------------------------ requests


def test_bad_requests_do_not_keep_orchestrators_from_the_good_ones(own_cluster: Cluster):
    for _ in range(2):
        own_cluster.orchestrator()
    own_cluster.worker("test", "--slots", "4")
    unknown = {"request_id": str(uuid4()), "task_request": {"name": "none", "namespace": "test"}}
    broken: list[object] = ["nonsense", [], {}, {"task_request": {"name": 7}}]

    def request() -> None:
        request_task("linear_4", namespace="test", context={"number": next(numbers)})

    Cluster.register(linear(4))
    numbers = iter(range(100))
    bad, made = send_between(REQUESTS_QUEUE, [*broken, unknown], request)
    own_cluster.waits(lambda: Task.objects.filter(state="complete").count() == len(made), within=40)
    works_off(own_cluster, REQUESTS_QUEUE)

    reads = archived(REQUESTS_QUEUE)
    assert entries(REQUESTS_QUEUE) == bad
    assert {msg_id for msg_id, body in bad.items() if body == unknown} == {
        msg_id for msg_id, times in reads.items() if times in POISON_READS
    }
    assert sorted(task.context["number"] for task in Task.objects.all()) == list(range(len(made)))
    assert {task_history(task.pk) for task in Task.objects.all()} == {LINEAR_4}
