"""Result messages that are late, doubled, malformed or poisonous: the queue goes on (X3, X12)."""

import json
from uuid import uuid4

import pytest
from django.db import connections

from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import DlqEntry, Task
from orchestration.testing import linear, shape
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, states, task_history

pytestmark = pytest.mark.django_db(transaction=True)


def execute(statement, *values):
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, values)


def show_all_messages():
    execute("UPDATE pgmq.q_orchestration_step_results SET vt = clock_timestamp()")


def waiting_message():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT message FROM pgmq.q_orchestration_step_results")
        (row,) = cursor.fetchall()
        return json.loads(row[0])


def archived():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT msg_id FROM pgmq.a_orchestration_step_results ORDER BY msg_id")
        return [msg_id for (msg_id,) in cursor.fetchall()]


def test_doubled_message_moves_nothing_a_second_time():
    created = ticks.start(linear(2))
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    again = waiting_message()
    ticks.process()
    before = task_history(created.task_uuid)

    pgmq.send(RESULTS_QUEUE, again)
    handled = ticks.process()

    assert handled == 1
    assert task_history(created.task_uuid) == before == "P I Q S E Q S"
    assert pgmq.metrics(RESULTS_QUEUE).depth == 0


def test_old_message_does_not_outdo_the_new_one_of_its_step():
    at_once = {"retry": {"backoff": "none"}}
    created = ticks.start(linear(1, steps={"step_1": at_once}))
    (claimed,) = ticks.claim()
    ticks.report(ticks.failure(claimed))
    old = waiting_message()
    ticks.process()

    pgmq.send(RESULTS_QUEUE, old)
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    handled = ticks.process()

    assert handled == 2
    assert task_history(created.task_uuid) == "P I Q S E:step_failed Q S E C"


def test_doubled_message_in_one_batch_moves_once(without_invariants):
    created = ticks.start(linear(2))
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    pgmq.send(RESULTS_QUEUE, waiting_message())

    handled = ticks.process()

    assert handled == 2
    assert task_history(created.task_uuid) == "P I Q S E Q S"
    assert not archived()


def test_message_of_a_foreign_worker_needs_no_version():
    created = ticks.start(linear(1))
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    short = {key: waiting_message()[key] for key in ("task_uuid", "step_uuid")}
    execute("DELETE FROM pgmq.q_orchestration_step_results")
    pgmq.send(RESULTS_QUEUE, short)

    ticks.process()

    assert task_history(created.task_uuid) == "P I Q S E C"


def test_message_of_an_earlier_attempt_is_obsolete():
    created = ticks.start(linear(1))
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    stale = waiting_message() | {"state_version": claimed.state_version - 1}
    pgmq.send(RESULTS_QUEUE, stale)

    ticks.process()

    assert task_history(created.task_uuid) == "P I Q S E C"
    assert pgmq.metrics(RESULTS_QUEUE).depth == 0


def test_result_of_a_closed_task_is_dropped():
    created = ticks.start(linear(2))
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    late = waiting_message()
    ticks.process()
    ticks.run_step()

    pgmq.send(RESULTS_QUEUE, late)
    ticks.process()

    assert Task.objects.get(pk=created.task_uuid).state == "complete"
    assert task_history(created.task_uuid) == "P I Q S E Q S E C"


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        [],
        {},
        {"task_uuid": "x", "step_uuid": "y"},
        {"task_uuid": str(uuid4())},
        {"task_uuid": str(uuid4()), "step_uuid": str(uuid4())},
    ],
)
def test_malformed_message_is_set_aside_and_the_good_ones_go_on(body):
    created = ticks.start(linear(4))
    (claimed,) = ticks.claim()
    bad = pgmq.send(RESULTS_QUEUE, body)
    ticks.report(ticks.success(claimed))

    handled = ticks.process()
    for _ in range(3):
        ticks.run_step()

    assert handled == 2
    assert archived() == [bad]
    entry = DlqEntry.objects.get()
    assert (entry.dlq_reason, entry.queue_name, entry.msg_id, entry.message) == (
        "poison_message",
        RESULTS_QUEUE,
        bad,
        body,
    )
    assert entry.task_id is None
    assert task_history(created.task_uuid) == LINEAR_4


def test_message_that_names_a_step_of_another_task_is_obsolete(without_invariants):
    first, second = ticks.start(linear(1)), ticks.start(linear(1))
    claims = {each.task_uuid: each for each in ticks.claim()}
    ticks.report(ticks.success(claims[first.task_uuid]))
    crossed = waiting_message() | {"task_uuid": str(second.task_uuid)}
    ticks.process()
    pgmq.send(RESULTS_QUEUE, crossed)

    ticks.process()

    assert task_history(second.task_uuid) == "P I Q S"
    assert pgmq.metrics(RESULTS_QUEUE).depth == 0


@pytest.fixture
def poison():
    """Let the database refuse every completion of the step `poison`, as a failing disk would."""
    execute("""
        CREATE FUNCTION tests_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE data_exception USING MESSAGE = 'no place for this step';
        END $$;
        CREATE TRIGGER tests_refuse BEFORE UPDATE ON tasker_workflow_steps FOR EACH ROW
        WHEN (NEW.name = 'poison' AND NEW.state = 'complete') EXECUTE FUNCTION tests_refuse();
    """)
    yield shape("poison", {"poison": []})
    execute("DROP FUNCTION tests_refuse() CASCADE")


def seconds_until_visible():
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM vt - clock_timestamp()) "
            "FROM pgmq.q_orchestration_step_results"
        )
        return float(cursor.fetchone()[0])


def test_poison_is_set_aside_after_five_reads(poison, without_invariants):
    created = ticks.start(poison)
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    message = waiting_message()

    reads = 0
    while pgmq.metrics(RESULTS_QUEUE).depth:
        show_all_messages()
        ticks.process()
        reads += 1

    assert reads == 5
    entry = DlqEntry.objects.get()
    assert entry.message == message
    assert (entry.task_id, entry.dlq_reason) == (created.task_uuid, "poison_message")
    assert "no place for this step" in entry.metadata["why"]
    assert states(created.task_uuid) == {"poison": "enqueued_for_orchestration"}


def test_failing_message_rests_longer_each_time(poison):
    ticks.start(poison)
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))

    pauses = []
    for _ in range(3):
        ticks.process()
        pauses.append(seconds_until_visible())
        show_all_messages()

    assert [round(pause) for pause in pauses] == [2, 4, 8]
    assert pgmq.metrics(RESULTS_QUEUE).depth == 1


def test_good_message_in_a_batch_with_poison_is_processed_at_once(poison):
    bad = ticks.start(poison)
    good = ticks.start(linear(2))
    ticks.report(*map(ticks.success, ticks.claim()))

    handled = ticks.process()

    assert handled == 2
    assert task_history(good.task_uuid) == "P I Q S E Q S"
    assert task_history(bad.task_uuid) == "P I Q S"
    assert not archived()


def test_number_that_no_float_holds_does_not_stop_the_orchestrator():
    created = ticks.start(linear(1))
    (claimed,) = ticks.claim()
    ticks.report(ticks.failure(claimed, backoff_hint={"delay_seconds": 10**400}))

    ticks.process()

    assert states(created.task_uuid) == {"step_1": "waiting_for_retry"}
