"""The detector's functions: which tasks are stale, and what is done about them (engine.md 12)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from orchestration.models import DlqEntry, Task, TaskerProcess, WorkflowStep, WorkflowStepEdge
from orchestration.testing import StepFactory
from tests.factories.histories import task_history
from tests.sql.rows import Built, ask, build, run, value

pytestmark = pytest.mark.django_db

MINUTE = 60
TWO_MINUTES: dict[str, Any] = {
    "max_waiting_for_dependencies_minutes": 2,
    "max_waiting_for_retry_minutes": 2,
    "max_steps_in_process_minutes": 2,
}
COLUMNS = [
    "task_uuid",
    "namespace",
    "name",
    "current_state",
    "time_in_state_minutes",
    "threshold_minutes",
    "action_taken",
    "moved_to_dlq",
    "transition_success",
]


def waiting(clock: Any, state: str = "waiting_for_dependencies", **lifecycle: Any) -> Built:
    """Insert a task that enters its state now, with one pending step."""
    return stand(clock, state, {"a": "pending"}, **lifecycle)


def stand(clock: Any, state: str, steps: dict[str, str], **lifecycle: Any) -> Built:
    """Insert a task with steps in given states; all of them enter their states now."""
    built = build(
        {name: [] for name in steps},
        steps,
        state=state,
        state_entered_at=clock.now,
        created_at=clock.now,
    )
    WorkflowStep.objects.filter(task=built.task).update(state_entered_at=clock.now)
    if lifecycle:
        revision = built.task.template_revision
        revision.configuration["lifecycle"] = lifecycle
        revision.save()
    return built


def look(clock: Any, *limits: int) -> list[Any]:
    return [row["task_uuid"] for row in ask(call("get_stale_tasks_for_dlq", limits), *limits)]


def detect(dry_run: bool = False, batch: int = 100, *limits: int) -> list[dict[str, Any]]:
    given = (dry_run, batch, *limits)
    return ask(call("detect_and_transition_stale_tasks", given), *given)


def call(function: str, given: tuple[Any, ...]) -> str:
    return f"SELECT * FROM {function}({', '.join(['%s'] * len(given))})"  # noqa: S608


def state_of(built: Built) -> str:
    return Task.objects.get(pk=built.uuid).state


def error_of(step: WorkflowStep) -> dict[str, Any]:
    error: dict[str, Any] = (step.results or {})["error"]
    return error


def health_of(built: Built) -> str:
    query = "SELECT health FROM tasker_task_staleness_monitoring WHERE task_uuid = %s"
    return str(value(query, built.uuid))


# ------------------------------------------------------------ the acceptance line


@pytest.mark.parametrize(
    ("seconds", "health", "found"), [(60, "healthy", 0), (102, "warning", 0), (180, "stale", 1)]
)
def test_a_limit_of_two_minutes(clock, seconds, health, found):
    built = waiting(clock, **TWO_MINUTES)
    clock.advance(seconds)

    assert health_of(built) == health
    assert len(detect()) == found
    assert state_of(built) == ("error" if found else "waiting_for_dependencies")


def test_a_stale_task_gets_an_entry_and_ends_in_error(clock):
    built = waiting(clock, **TWO_MINUTES)
    clock.advance(180)

    (row,) = detect()

    assert list(row) == COLUMNS
    assert row == {
        "task_uuid": built.uuid,
        "namespace": "test",
        "name": "linear_1",
        "current_state": "waiting_for_dependencies",
        "time_in_state_minutes": Decimal(3),
        "threshold_minutes": 2,
        "action_taken": "transitioned_to_dlq_and_error",
        "moved_to_dlq": True,
        "transition_success": True,
    }
    task = Task.objects.get(pk=built.uuid)
    assert (task.state, task.completed_at) == ("error", clock.now)
    assert task_history(built.uuid) == "D X:timeout"
    last = task.transitions.latest("sort_key")
    assert last.metadata == {
        "reason": "staleness_timeout",
        "minutes_in_state": 3,
        "threshold_minutes": 2,
    }
    entry = DlqEntry.objects.get()
    assert (entry.task_id, entry.dlq_reason) == (built.uuid, "staleness_timeout")
    assert entry.original_state == "waiting_for_dependencies"
    assert entry.task_snapshot["state"] == "waiting_for_dependencies"
    assert entry.metadata["minutes_in_state"] == 3
    assert entry.metadata["threshold_minutes"] == 2


def test_a_second_run_finds_nothing(clock):
    waiting(clock, **TWO_MINUTES)
    clock.advance(180)

    assert len(detect()) == 1
    assert detect() == []
    assert DlqEntry.objects.count() == 1


def test_the_dry_run_changes_nothing(clock):
    built = waiting(clock, **TWO_MINUTES)
    clock.advance(180)

    (row,) = detect(dry_run=True)

    assert row["action_taken"] == "would_transition_to_dlq_and_error"
    assert (row["moved_to_dlq"], row["transition_success"]) == (False, False)
    assert state_of(built) == "waiting_for_dependencies"
    assert task_history(built.uuid) == "D"
    assert not DlqEntry.objects.exists()


def test_the_dry_run_is_the_default(clock):
    waiting(clock, **TWO_MINUTES)
    clock.advance(180)

    (row,) = ask("SELECT * FROM detect_and_transition_stale_tasks()")

    assert row["action_taken"] == "would_transition_to_dlq_and_error"


def test_the_size_of_a_batch_is_respected_and_the_longest_overdue_comes_first(clock):
    tasks = []
    for _ in range(3):
        tasks.append(waiting(clock, **TWO_MINUTES))
        clock.advance(10)
    clock.advance(180)

    rounds = [[row["task_uuid"] for row in detect(False, 2)] for _ in range(3)]

    assert rounds == [[tasks[0].uuid, tasks[1].uuid], [tasks[2].uuid], []]


def test_a_task_with_a_pending_entry_is_left_alone(clock):
    built = waiting(clock, **TWO_MINUTES)
    value("SELECT create_dlq_entry(%s, 'manual_dlq')", built.uuid)
    clock.advance(180)

    assert look(clock) == []
    assert detect() == []
    assert state_of(built) == "waiting_for_dependencies"
    DlqEntry.objects.update(resolution_status="cancelled")
    assert look(clock) == [built.uuid]


# ------------------------------------------------------------ which limit


@pytest.mark.parametrize(
    ("state", "minutes"),
    [
        ("waiting_for_dependencies", 60),
        ("waiting_for_retry", 30),
        ("steps_in_process", 30),
        ("pending", 1440),
        ("blocked_by_failures", 1440),
        ("initializing", 1440),
    ],
)
def test_without_a_lifecycle_the_defaults_hold(clock, state, minutes):
    built = waiting(clock, state)

    clock.advance(minutes * MINUTE - 1)
    assert look(clock) == []
    clock.advance(1)
    assert look(clock) == [built.uuid]


def test_the_limits_are_arguments_and_the_template_goes_first(clock):
    states = ("waiting_for_dependencies", "waiting_for_retry", "steps_in_process")
    built = {state: waiting(clock, state) for state in states}
    clock.advance(150)

    assert look(clock, 100, 3, 3, 3) == []
    for place, state in enumerate(states):
        limits = [3, 3, 3]
        limits[place] = 2
        assert look(clock, 100, *limits) == [built[state].uuid]

    revision = built["steps_in_process"].task.template_revision
    revision.configuration["lifecycle"] = TWO_MINUTES
    revision.save()
    assert len(look(clock, 100, 3, 3, 3)) == 3


def test_limits_come_from_the_revision_that_the_task_runs(clock):
    built = waiting(clock, **TWO_MINUTES)
    named = built.task.named_task
    named.configuration["lifecycle"] = {"max_waiting_for_dependencies_minutes": 10_080}
    named.save()
    clock.advance(180)

    assert look(clock) == [built.uuid]


@pytest.mark.parametrize("state", ["complete", "error", "cancelled", "resolved_manually"])
def test_finished_tasks_are_never_stale(clock, state):
    stand(clock, state, {"a": "complete"}, **TWO_MINUTES)
    clock.advance(100 * 24 * 3600)

    assert look(clock, 100, 1, 1, 1, 1) == []


# ------------------------------------------------------------ time in state


def test_a_step_that_moves_is_a_sign_of_life(clock):
    built = stand(clock, "steps_in_process", {"a": "enqueued", "b": "enqueued"}, **TWO_MINUTES)
    clock.advance(90)
    WorkflowStep.objects.filter(pk=built["b"]).update(state_entered_at=clock.now)

    clock.advance(119)
    assert (look(clock), health_of(built)) == ([], "warning")
    clock.advance(1)
    assert (look(clock), health_of(built)) == ([built.uuid], "stale")


def test_a_step_that_is_over_is_no_sign_of_life(clock):
    built = stand(clock, "steps_in_process", {"a": "enqueued", "b": "complete"}, **TWO_MINUTES)
    clock.advance(120)
    WorkflowStep.objects.filter(pk=built["b"]).update(state_entered_at=clock.now)

    assert look(clock) == [built.uuid]


def test_a_live_lease_is_life_however_old_the_state(clock):
    built = stand(clock, "steps_in_process", {"a": "in_progress", "b": "enqueued"}, **TWO_MINUTES)
    clock.advance(7200)
    WorkflowStep.objects.filter(pk=built["a"]).update(lease_until=clock.now + timedelta(seconds=1))

    assert (look(clock), health_of(built)) == ([], "healthy")
    assert detect() == []
    assert state_of(built) == "steps_in_process"


def test_a_lease_counts_until_it_ends(clock):
    built = stand(clock, "steps_in_process", {"a": "in_progress"}, **TWO_MINUTES)
    WorkflowStep.objects.update(lease_until=clock.now + timedelta(seconds=3600))

    clock.advance(3600 + 119)
    assert look(clock) == []
    clock.advance(1)
    assert look(clock) == [built.uuid]


def test_a_wait_for_a_retry_counts_from_the_earliest_due_time(clock):
    built = stand(clock, "waiting_for_retry", {"a": "waiting_for_retry"}, **TWO_MINUTES)
    other = StepFactory.create(task=built.task, name="b", state="waiting_for_retry")
    due = clock.now + timedelta(hours=1)
    WorkflowStep.objects.update(next_retry_at=due)
    WorkflowStep.objects.filter(pk=other.pk).update(next_retry_at=due + timedelta(hours=1))

    clock.advance(3600)
    assert (look(clock), health_of(built)) == ([], "healthy")
    clock.advance(119)
    assert look(clock) == []
    clock.advance(1)
    assert look(clock) == [built.uuid]


def test_a_due_time_in_the_past_does_not_shorten_the_wait(clock):
    built = stand(clock, "waiting_for_retry", {"a": "waiting_for_retry"}, **TWO_MINUTES)
    WorkflowStep.objects.update(next_retry_at=clock.now - timedelta(hours=1))

    clock.advance(119)
    assert look(clock) == []
    clock.advance(1)
    assert look(clock) == [built.uuid]


@pytest.mark.parametrize(
    "reported", ["enqueued_for_orchestration", "enqueued_as_error_for_orchestration"]
)
@pytest.mark.parametrize("lifetime", [0, 1])
def test_a_result_on_its_way_is_processed_first(clock, reported, lifetime):
    built = stand(clock, "steps_in_process", {"a": reported, "b": "enqueued"}, **TWO_MINUTES)
    clock.advance(7200)

    assert look(clock, 100, 1, 1, 1, lifetime) == []
    assert detect(False, 100, 1, 1, 1, lifetime) == []
    assert transition(built, 1, 1, 1, lifetime) is False
    WorkflowStep.objects.filter(pk=built["a"]).update(state="complete")
    clock.advance(1)
    assert look(clock) == [built.uuid]


# ------------------------------------------------------------ the lifetime limit


def alive(clock: Any, **lifecycle: Any) -> Built:
    """Insert a task whose only step runs under a lease that lives for days."""
    built = stand(clock, "steps_in_process", {"a": "in_progress"}, **lifecycle)
    WorkflowStep.objects.update(lease_until=clock.now + timedelta(days=9))
    return built


def test_no_lifetime_limit_is_the_default(clock):
    built = alive(clock)
    clock.advance(8 * 24 * 3600)

    assert (look(clock), health_of(built)) == ([], "healthy")


def test_the_lifetime_counts_from_creation_whatever_lives(clock):
    built = alive(clock)

    clock.advance(2 * 3600 - 1)
    assert look(clock, 100, 60, 30, 30, 2) == []
    clock.advance(1)
    assert look(clock, 100, 60, 30, 30, 2) == [built.uuid]
    (row,) = detect(False, 100, 60, 30, 30, 2)
    assert row["action_taken"] == "transitioned_to_dlq_and_error"
    assert error_of(WorkflowStep.objects.get())["error_type"] == "task_timeout"
    assert DlqEntry.objects.get().metadata["max_age_minutes"] == 120


@pytest.mark.parametrize("setting", [0, 1, 24])
def test_the_lifetime_of_the_template_goes_first(clock, setting):
    built = alive(clock, max_duration_minutes=180)

    clock.advance(180 * MINUTE - 1)
    assert (look(clock, 100, 60, 30, 30, setting), health_of(built)) == ([], "warning")
    clock.advance(1)
    assert (look(clock, 100, 60, 30, 30, setting), health_of(built)) == ([built.uuid], "stale")


def test_a_pending_task_past_its_lifetime_gets_an_entry_only(clock):
    built = waiting(clock, "pending", max_duration_minutes=5)
    clock.advance(300)

    (row,) = detect()

    assert (row["action_taken"], state_of(built)) == ("moved_to_dlq_only", "pending")


# ------------------------------------------------------------ what is done


@pytest.mark.parametrize("state", ["pending", "blocked_by_failures"])
def test_who_waits_for_capacity_or_a_person_gets_an_entry_only(clock, state):
    built = waiting(clock, state)
    clock.advance(24 * 3600)

    (row,) = detect()

    assert row["action_taken"] == "moved_to_dlq_only"
    assert (row["moved_to_dlq"], row["transition_success"]) == (True, False)
    assert state_of(built) == state
    assert transition(built) is False
    assert detect() == []


E, X, BOTH, NONE = (
    "moved_to_dlq_only",
    "transitioned_to_error_only",
    "transitioned_to_dlq_and_error",
    None,
)


@pytest.mark.parametrize(
    ("lifecycle", "action"),
    [
        ({}, BOTH),
        ({"staleness_action": "dlq"}, BOTH),
        ({"staleness_action": "error"}, X),
        ({"staleness_action": "none"}, NONE),
        ({"auto_fail_on_timeout": False}, E),
        ({"auto_dlq_on_timeout": False}, X),
        ({"auto_fail_on_timeout": False, "auto_dlq_on_timeout": False}, NONE),
        ({"staleness_action": "error", "auto_dlq_on_timeout": True}, BOTH),
        ({"staleness_action": "error", "auto_fail_on_timeout": False}, NONE),
        ({"staleness_action": "none", "auto_dlq_on_timeout": True}, E),
        ({"staleness_action": "none", "auto_fail_on_timeout": True}, X),
        ({"staleness_action": None, "auto_fail_on_timeout": None}, BOTH),
    ],
)
def test_the_template_says_what_is_done(clock, lifecycle, action):
    built = waiting(clock, **TWO_MINUTES, **lifecycle)
    clock.advance(180)

    rows = detect()

    assert [row["action_taken"] for row in rows] == ([action] if action else [])
    assert [row["moved_to_dlq"] for row in rows] == [action != X for _ in rows]
    assert DlqEntry.objects.count() == int(action in (E, BOTH))
    assert state_of(built) == ("error" if action in (X, BOTH) else "waiting_for_dependencies")
    assert detect() == []


@pytest.mark.parametrize("lifecycle", [{"staleness_action": "error"}, {"staleness_action": "none"}])
@pytest.mark.parametrize("state", ["pending", "blocked_by_failures"])
def test_a_task_that_may_not_move_and_wants_no_entry_is_left_alone(clock, state, lifecycle):
    waiting(clock, state, **lifecycle)
    clock.advance(48 * 3600)

    assert detect() == []
    assert not DlqEntry.objects.exists()


def test_steps_end_in_error_or_go_back_and_others_stay(clock):
    built = stand(
        clock,
        "steps_in_process",
        {
            "queued": "enqueued",
            "running": "in_progress",
            "retrying": "waiting_for_retry",
            "later": "pending",
            "done": "complete",
            "failed": "error",
        },
        **TWO_MINUTES,
    )
    before = WorkflowStep.objects.get(pk=built["retrying"])
    clock.advance(300)

    detect()

    steps = {step.name: step for step in WorkflowStep.objects.all()}
    assert {name: step.state for name, step in steps.items()} == {
        "queued": "error",
        "running": "error",
        "retrying": "pending",
        "later": "pending",
        "done": "complete",
        "failed": "error",
    }
    for name in ("queued", "running"):
        results = steps[name].results or {}
        assert (results["success"], results["status"]) == (False, "error")
        assert results["error"]["error_type"] == "task_timeout"
        assert results["metadata"]["error_code"] == "TASK_TIMEOUT"
        assert steps[name].last_failure_at == clock.now
    assert "worker_unavailable" not in error_of(steps["running"])["message"]
    assert steps["failed"].results is None
    assert (steps["retrying"].attempts, steps["retrying"].next_retry_at) == (before.attempts, None)
    assert steps["running"].lease_until is None


def test_a_transition_that_cannot_be_made_leaves_an_entry_that_says_why(clock):
    built = stand(clock, "steps_in_process", {"a": "enqueued"}, **TWO_MINUTES)
    WorkflowStep.objects.update(queue_msg_id=1)
    run("ALTER TABLE pgmq.q_worker_test_queue RENAME TO q_gone")
    clock.advance(180)

    (row,) = detect()

    assert row["action_taken"] == "transition_failed"
    assert (row["moved_to_dlq"], row["transition_success"]) == (True, False)
    assert state_of(built) == "steps_in_process"
    assert "q_worker_test_queue" in DlqEntry.objects.get().metadata["transition_error"]
    assert detect() == []


# ------------------------------------------------------------ the single transition


def transition(built: Built, *limits: int, expected: str | None = None) -> bool:
    given = (built.uuid, expected or state_of(built), "staleness_timeout", *limits)
    return bool(
        value(f"SELECT transition_stale_task_to_error({', '.join(['%s'] * len(given))})", *given)
    )


def test_a_transition_is_a_compare_and_set(clock):
    built = waiting(clock, **TWO_MINUTES)
    clock.advance(180)

    assert transition(built, expected="waiting_for_retry") is False
    assert state_of(built) == "waiting_for_dependencies"
    assert transition(built) is True
    assert transition(built, expected="waiting_for_dependencies") is False
    assert task_history(built.uuid) == "D X:timeout"


def test_a_transition_of_a_task_that_is_not_stale_is_refused(clock):
    built = waiting(clock, **TWO_MINUTES)
    clock.advance(119)

    assert transition(built) is False
    assert state_of(built) == "waiting_for_dependencies"


def test_a_transition_keeps_to_the_template(clock):
    built = waiting(clock, **TWO_MINUTES, auto_fail_on_timeout=False)
    clock.advance(180)

    assert transition(built) is False


def test_an_unknown_task_is_not_moved(clock):
    query = "SELECT transition_stale_task_to_error(%s, 'pending', 'staleness_timeout')"
    assert value(query, uuid4()) is False


def test_a_transition_keeps_who_announced_it(clock):
    built = waiting(clock, **TWO_MINUTES)
    clock.advance(180)
    processor = uuid4()
    announced = f'{{"actor": "system:x", "processor_uuid": "{processor}"}}'
    run("SELECT set_config('tasker.move', %s, true)", announced)

    transition(built)

    last = Task.objects.get(pk=built.uuid).transitions.latest("sort_key")
    assert (last.actor, last.processor_uuid, last.event) == ("system:x", processor, "timeout")
    assert value("SELECT current_setting('tasker.move', true)") == announced


# ------------------------------------------------------------ reasons


def worker(clock: Any, **columns: Any) -> None:
    TaskerProcess.objects.create(
        **{
            "worker_uuid": uuid4(),
            "kind": "worker",
            "pid": 1,
            "status": "running",
            "namespaces": ["other", "test"],
            "last_heartbeat_at": clock.now,
        }
        | columns
    )


def reason() -> str:
    (row,) = ask("SELECT reason FROM get_stale_tasks_for_dlq()")
    detect()
    assert DlqEntry.objects.get().dlq_reason == row["reason"]
    return str(row["reason"])


def test_nobody_who_takes_the_steps_is_the_reason(clock):
    stand(clock, "steps_in_process", {"a": "enqueued", "b": "enqueued", "c": "complete"})
    clock.advance(3600)

    assert reason() == "worker_unavailable"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, "staleness_timeout"),
        ({"status": "draining"}, "worker_unavailable"),
        ({"status": "stopped"}, "worker_unavailable"),
        ({"status": "lost"}, "worker_unavailable"),
        ({"namespaces": ["other"]}, "worker_unavailable"),
        ({"kind": "orchestrator"}, "worker_unavailable"),
    ],
)
def test_a_running_worker_of_the_namespace_is_there_to_take_them(clock, columns, expected):
    stand(clock, "steps_in_process", {"a": "enqueued"})
    clock.advance(3600)
    worker(clock, **columns)

    assert reason() == expected


def test_a_worker_that_was_not_heard_of_for_long_serves_nobody(clock):
    stand(clock, "steps_in_process", {"a": "enqueued"})
    worker(clock)
    clock.advance(3600)

    assert reason() == "worker_unavailable"


def test_a_step_in_progress_has_a_worker(clock):
    stand(clock, "steps_in_process", {"a": "enqueued", "b": "in_progress"})
    clock.advance(3600)

    assert reason() == "staleness_timeout"


def test_nothing_in_flight_is_not_for_want_of_a_worker(clock):
    stand(clock, "steps_in_process", {"a": "complete"})
    clock.advance(3600)

    assert reason() == "staleness_timeout"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("waiting_for_dependencies", "dependency_cycle_detected"),
        ("waiting_for_retry", "staleness_timeout"),
    ],
)
def test_a_cycle_is_the_reason_of_a_wait_for_dependencies(clock, state, expected):
    built = stand(clock, state, {"a": "pending", "b": "pending", "c": "pending"})
    for start, end in ("ab", "bc", "cb"):
        WorkflowStepEdge.objects.create(from_step=built.steps[start], to_step=built.steps[end])
    clock.advance(7200)

    assert reason() == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"attempts": 3, "max_attempts": 3}, "max_retries_exceeded"),
        ({"attempts": 1, "max_attempts": 0}, "max_retries_exceeded"),
        ({"attempts": 1, "max_attempts": 3}, "staleness_timeout"),
        ({"attempts": 0, "max_attempts": 0}, "staleness_timeout"),
    ],
)
def test_exhausted_attempts_are_the_reason_of_a_blocked_task(clock, columns, expected):
    built = stand(clock, "blocked_by_failures", {"done": "complete", "bad": "error"})
    WorkflowStep.objects.filter(pk=built["done"]).update(attempts=3, max_attempts=3)
    WorkflowStep.objects.filter(pk=built["bad"]).update(**columns)
    clock.advance(24 * 3600)

    assert reason() == expected


# ------------------------------------------------------------ the view and the functions agree


def test_the_view_shows_as_stale_what_the_detector_finds(clock):
    for state in (
        "pending",
        "waiting_for_dependencies",
        "waiting_for_retry",
        "blocked_by_failures",
    ):
        waiting(clock, state)
    for states in (
        {"a": "enqueued"},
        {"a": "in_progress"},
        {"a": "enqueued", "b": "waiting_for_retry"},
    ):
        stand(clock, "steps_in_process", states)
    waiting(clock, "waiting_for_retry", max_duration_minutes=1)
    began = clock.now

    for minutes in (0, 1, 29, 30, 31, 59, 60, 1439, 1440):
        clock.set(began + timedelta(minutes=minutes))
        stale = ask("SELECT * FROM tasker_task_staleness_monitoring WHERE health = 'stale'")
        found = ask("SELECT * FROM get_stale_tasks_for_dlq()")

        assert {row["task_uuid"] for row in stale} == {row["task_uuid"] for row in found}
        assert {(row["task_uuid"], row["minutes_in_state"]) for row in stale} == {
            (row["task_uuid"], row["time_in_state_minutes"]) for row in found
        }
    assert len(found) == 8
