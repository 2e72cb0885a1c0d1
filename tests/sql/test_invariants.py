"""Each invariant finds the row that breaks it, and none finds fault with sound rows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orchestration.models import Task, WorkflowStep
from orchestration.queries.invariants import INVARIANTS, violations
from orchestration.testing import linear
from tests.factories import ticks
from tests.sql.rows import build, run, single

pytestmark = pytest.mark.django_db


def broken() -> list[str]:
    return [violation.invariant for violation in violations()]


def offenders(invariant: str) -> list[object]:
    return [violation.object_uuid for violation in violations([invariant])]


def without_trigger(statement: str, *parameters: object) -> None:
    """Change rows behind the back of triggers, constraints included."""
    run("SET LOCAL session_replication_role = replica")
    run(statement, *parameters)
    run("SET LOCAL session_replication_role = origin")


@pytest.fixture
def running():
    """A task of two steps, the first of which is enqueued."""
    task = Task.objects.get(pk=ticks.start(linear(2)).task_uuid)
    return task, WorkflowStep.objects.get(task=task, name="step_1")


def test_there_are_nine():
    assert INVARIANTS == ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9")


def test_nothing_is_broken_at_any_stage_of_a_run():
    ticks.start(linear(2))
    stages = [broken()]
    for _ in range(2):
        (claimed,) = ticks.claim(limit=1)
        stages.append(broken())
        ticks.report(ticks.success(claimed))
        stages.append(broken())
        ticks.process()
        stages.append(broken())

    assert stages == [[]] * 7
    assert Task.objects.get().state == "complete"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tasker_task_transitions WHERE task_uuid = %s AND sort_key = 2",
        "DELETE FROM tasker_task_transitions WHERE task_uuid = %s AND sort_key = 4",
        "DELETE FROM tasker_task_transitions WHERE task_uuid = %s",
        "UPDATE tasker_task_transitions SET from_state = 'complete'"
        " WHERE task_uuid = %s AND sort_key = 3",
        "UPDATE tasker_task_transitions SET to_state = 'pending'"
        " WHERE task_uuid = %s AND sort_key = 4",
        "UPDATE tasker_tasks SET state_version = 9 WHERE task_uuid = %s",
        "UPDATE tasker_tasks SET state = 'blocked_by_failures' WHERE task_uuid = %s",
    ],
)
def test_i1_finds_a_task_whose_history_has_a_gap(running, statement):
    task, _ = running

    without_trigger(statement, task.pk)

    assert offenders("I1") == [task.pk]


def test_i1_finds_a_step_whose_history_has_a_gap(running):
    _, step = running

    without_trigger(
        "DELETE FROM tasker_workflow_step_transitions WHERE workflow_step_uuid = %s"
        " AND sort_key = 1",
        step.pk,
    )

    assert offenders("I1") == [step.pk]


def test_i1_finds_a_history_without_its_task(running):
    task, _ = running

    without_trigger("DELETE FROM tasker_workflow_step_edges")
    without_trigger("DELETE FROM tasker_workflow_steps WHERE task_uuid = %s", task.pk)
    without_trigger("DELETE FROM tasker_tasks WHERE task_uuid = %s", task.pk)

    assert task.pk in offenders("I1")


@pytest.mark.parametrize("state", ["enqueued", "in_progress", "waiting_for_retry"])
def test_i2_finds_a_finished_task_with_a_step_that_runs(state):
    built = single(state, task={"state": "complete"})

    assert offenders("I2") == [built.uuid]


def test_i3_finds_a_task_that_rests_in_a_hop_state():
    uuids = [
        build({}, state=state).uuid
        for state in ("initializing", "enqueuing_steps", "evaluating_results")
    ]

    assert sorted(offenders("I3"), key=str) == sorted(uuids, key=str)


def test_i4_finds_a_task_in_process_without_steps_in_flight_and_the_reverse():
    idle = single("complete", task={"state": "steps_in_process"}).uuid
    busy = single("enqueued", task={"state": "waiting_for_retry"}).uuid

    assert sorted(offenders("I4"), key=str) == sorted([idle, busy], key=str)


def test_i5_finds_a_step_whose_message_is_gone(running):
    _, step = running
    run("DELETE FROM pgmq.q_worker_test_queue")

    assert offenders("I5") == [step.pk]


def test_i5_finds_a_second_message_that_names_a_step(running):
    _, step = running
    ticks_message = f'{{"step_uuid": "{step.pk}"}}'
    run("SELECT pgmq_send_with_notify('worker_test_queue', %s)", ticks_message)

    assert offenders("I5") == [step.pk]


def test_i5_finds_a_message_in_the_queue_of_another_namespace(running):
    _, step = running
    run("SELECT pgmq_create_queue_with_notify('worker_elsewhere_queue')")
    run("DELETE FROM pgmq.q_worker_test_queue")
    run(
        "INSERT INTO pgmq.q_worker_elsewhere_queue (msg_id, vt, message)"
        " OVERRIDING SYSTEM VALUE VALUES (%s, now(), %s)",
        step.queue_msg_id,
        f'{{"step_uuid": "{step.pk}"}}',
    )

    assert offenders("I5") == [step.pk]


@pytest.mark.parametrize("copies", [0, 2])
def test_i6_finds_a_reported_step_without_exactly_one_message(running, copies):
    _, step = running
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    assert offenders("I6") == []
    if copies:
        run(
            "INSERT INTO pgmq.q_orchestration_step_results (vt, message)"
            " SELECT vt, message FROM pgmq.q_orchestration_step_results"
        )
    else:
        run("DELETE FROM pgmq.q_orchestration_step_results")

    assert offenders("I6") == [step.pk]


def test_i6_finds_a_message_of_another_version(running):
    _, step = running
    (claimed,) = ticks.claim()
    ticks.report(ticks.success(claimed))
    run(
        "UPDATE pgmq.q_orchestration_step_results"
        " SET message = jsonb_set(message, '{state_version}', '1')"
    )

    assert offenders("I6") == [step.pk]


@pytest.mark.parametrize(
    ("state", "columns"),
    [
        ("in_progress", {"lease_until": None}),
        ("enqueued", {"lease_until": timezone.now()}),
        ("waiting_for_retry", {"next_retry_at": None}),
        ("error", {"next_retry_at": timezone.now()}),
    ],
)
def test_i7_finds_lease_and_due_time_that_do_not_fit_the_state(state, columns):
    built = single("pending")
    if state == "error":
        built.move("error", "only")
    else:
        built.move(state, "only")

    assert offenders("I7") == []
    WorkflowStep.objects.filter(task=built.task).update(**columns)

    assert offenders("I7") == [built["only"]]


def test_i7_excepts_rows_that_never_moved():
    single("in_progress", lease_until=None)

    assert offenders("I7") == []


@pytest.mark.parametrize(
    ("attempts", "max_attempts", "is_broken"),
    [(1, 0, False), (2, 0, True), (1, 1, False), (3, 3, False), (4, 3, True)],
)
def test_i8_finds_more_attempts_than_allowed(attempts, max_attempts, is_broken):
    built = single("error", attempts=attempts, max_attempts=max_attempts)

    assert offenders("I8") == ([built["only"]] if is_broken else [])


def test_i9_finds_a_step_that_started_before_its_parent_was_done(clock):
    built = build({"a": [], "b": ["a"]})

    built.move("in_progress", "b")
    assert offenders("I9") == [built["b"]]

    clock.advance(1)
    built.move("complete", "a")
    assert offenders("I9") == [built["b"]]


def test_i9_accepts_a_step_that_started_after_its_parent_was_done(clock):
    built = build({"a": [], "b": ["a"]})
    built.move("resolved_manually", "a")
    clock.advance(1)

    built.move("in_progress", "b")

    assert offenders("I9") == []


def test_a_violation_tells_what_was_found():
    built = single("error", attempts=4, max_attempts=3)

    (violation,) = violations(["I8"])

    assert violation.invariant == "I8"
    assert violation.object_uuid == built["only"]
    assert violation.detail == "step only: 4 attempts of 3"


def test_times_of_a_test_are_relative_to_the_clock(clock):
    """I9 compares moments that the same clock wrote."""
    clock.set(clock.now - timedelta(days=1))
    built = build({"a": [], "b": ["a"]})
    built.move("complete", "a")
    clock.advance(60)
    built.move("in_progress", "b")

    assert offenders("I9") == []
