"""get_slowest_steps and _tasks, one by one and aggregated by template (engine.md 5.7)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from orchestration.models import StepResultAudit, Task, WorkflowStep
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, linear
from tests.sql.rows import ask, in_namespace

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


def ended_task(clock: Any, seconds: int, *, state: str = "complete", **columns: Any) -> Task:
    """Insert a task that came into its state now, so many seconds after its creation."""
    made = TaskFactory.create(state=state, **columns)
    ended = clock.now if made.completed_at else None
    Task.objects.filter(pk=made.pk).update(
        created_at=clock.now - timedelta(seconds=seconds),
        completed_at=ended,
        state_entered_at=clock.now,
    )
    return made


def ran(clock: Any, task: Task, name: str, seconds: float) -> WorkflowStep:
    """Insert a step that completed now after running so long."""
    step = StepFactory.create(task=task, name=name, state="complete")
    WorkflowStep.objects.filter(pk=step.pk).update(
        last_attempted_at=clock.now - timedelta(seconds=seconds), completed_at=clock.now
    )
    return step


def attempted(
    clock: Any, step: WorkflowStep, *, ms: int | None, success: bool = True, ago: Any = None
) -> None:
    """Insert the record of an attempt, as the trigger does on a report."""
    number = step.transitions.count() + 1
    moment = clock.now - (ago or timedelta())
    move = step.transitions.create(
        sort_key=100 + number, to_state="enqueued_for_orchestration", event="report", attempt=number
    )
    StepResultAudit.objects.create(
        workflow_step=step,
        transition=move,
        task=step.task,
        correlation_id=step.task.correlation_id,
        attempt=number,
        success=success,
        execution_time_ms=ms,
        recorded_at=moment,
    )


def slowest(what: str, **arguments: Any) -> list[dict[str, Any]]:
    """Return the rows of one of the functions."""
    named = ", ".join(f"{name} => %s" for name in arguments)
    return ask(f"SELECT * FROM get_slowest_{what}({named})", *arguments.values())  # noqa: S608 ours


def test_the_slowest_completed_steps_come_first(clock):
    task = ended_task(clock, 60)
    ran(clock, task, "quick", 1)
    slow = ran(clock, task, "slow", 30.5)
    ran(clock, task, "no_time_at_all", 0)
    StepFactory.create(task=task, name="failed", state="error")

    rows = slowest("steps", since=clock.now - HOUR)

    assert [row["step_name"] for row in rows] == ["slow", "quick"]
    assert rows[0] == {
        "workflow_step_uuid": slow.pk,
        "task_uuid": task.pk,
        "step_name": "slow",
        "task_name": "linear_1",
        "namespace_name": "test",
        "version": "1.0.0",
        "duration_seconds": Decimal("30.500"),
        "attempts": 1,
        "created_at": slow.created_at,
        "completed_at": clock.now,
        "retryable": True,
        "step_status": "complete",
    }


def test_the_slowest_completed_tasks_come_first_with_their_steps(clock):
    slow, _ = ended_task(clock, 60), ended_task(clock, 5)
    ended_task(clock, 900, state="error")
    ran(clock, slow, "one", 1)
    StepFactory.create(task=slow, name="two", state="resolved_manually")
    StepFactory.create(task=slow, name="three", state="error")

    rows = slowest("tasks", since=clock.now - HOUR)

    assert [row["duration_seconds"] for row in rows] == [60, 5]
    counts = [rows[0][name] for name in ("step_count", "completed_steps", "error_steps")]
    assert (rows[0]["task_uuid"], counts) == (slow.pk, [3, 2, 1])


@pytest.mark.parametrize("what", ["steps", "tasks"])
def test_both_are_narrowed_by_namespace_name_and_version(clock, what):
    for named in (
        in_namespace("here"),
        in_namespace("there"),
        TemplateFactory.create(template=linear(1, namespace="here", version="2.0.0")),
        TemplateFactory.create(template=linear(1, name="other", namespace="here")),
    ):
        ran(clock, ended_task(clock, 9, named_task=named), "step", 9)

    def found(**narrowed: str) -> int:
        return len(slowest(what, since=clock.now - HOUR, **narrowed))

    assert found() == 4
    assert found(p_namespace="here") == 3
    assert found(p_namespace="here", p_task_name="linear_1") == 2
    assert found(p_namespace="here", p_task_name="linear_1", p_version="2.0.0") == 1
    assert len(slowest(what, p_limit=2)) == 2
    assert slowest(what, since=clock.now + HOUR) == []


def aggregated(what: str, clock: Any, **arguments: Any) -> list[dict[str, Any]]:
    given = {"since": clock.now - DAY, "p_min_executions": 1} | arguments
    return slowest(f"{what}_aggregated", **given)


def test_attempts_are_summed_up_by_step_of_a_template(clock):
    task = ended_task(clock, 60)
    charge, ship = (StepFactory.create(task=task, name=name) for name in ("charge", "ship"))
    for ms, success in ((1000, False), (2000, False), (6000, True)):
        attempted(clock, charge, ms=ms, success=success)
    attempted(clock, ship, ms=50)
    attempted(clock, ship, ms=90_000, ago=2 * DAY)
    attempted(clock, ship, ms=None)

    rows = aggregated("steps", clock)

    assert rows == [
        {
            "namespace_name": "test",
            "task_name": "linear_1",
            "version": "1.0.0",
            "step_name": "charge",
            "average_duration_seconds": Decimal("3.000"),
            "max_duration_seconds": Decimal("6.000"),
            "execution_count": 3,
            "error_count": 2,
            "error_rate": Decimal("0.6667"),
            "last_executed_at": clock.now,
        },
        {
            **rows[0],
            "step_name": "ship",
            "average_duration_seconds": Decimal("0.050"),
            "max_duration_seconds": Decimal("0.050"),
            "execution_count": 1,
            "error_count": 0,
            "error_rate": 0,
        },
    ]


def test_instances_of_a_batch_count_under_their_step_of_the_template(clock):
    task = ended_task(clock, 60)
    work = StepFactory.create(task=task, name="work_0001")
    again = StepFactory.create(task=task, name="work_0002", named_step=work.named_step)
    attempted(clock, work, ms=1000)
    attempted(clock, again, ms=3000)

    (row,) = aggregated("steps", clock)

    assert row["step_name"] == work.named_step.name
    assert (row["execution_count"], row["average_duration_seconds"]) == (2, 2)


def test_tasks_are_summed_up_by_template_and_blocked_ones_failed(clock):
    for seconds, state in ((10, "complete"), (20, "error"), (60, "blocked_by_failures")):
        StepFactory.create_batch(2, task=ended_task(clock, seconds, state=state))
    ended_task(clock, 900, state="cancelled")
    ended_task(clock, 900, state="steps_in_process")
    StepFactory.create_batch(3, task=ended_task(clock, 30))

    (row,) = aggregated("tasks", clock)

    assert row == {
        "namespace_name": "test",
        "task_name": "linear_1",
        "version": "1.0.0",
        "average_duration_seconds": 30,
        "max_duration_seconds": 60,
        "execution_count": 4,
        "average_step_count": Decimal("2.25"),
        "error_count": 2,
        "error_rate": Decimal("0.5000"),
        "last_executed_at": clock.now,
    }


@pytest.mark.parametrize("what", ["steps", "tasks"])
def test_both_sums_leave_out_what_is_rare_and_what_is_not_seen(clock, what):
    for namespace, times in (("often", 3), ("rarely", 1)):
        for _ in range(times):
            task = ended_task(clock, 9, named_task=in_namespace(namespace))
            attempted(clock, StepFactory.create(task=task, name="only"), ms=5)

    def namespaces(**arguments: Any) -> set[str]:
        return {row["namespace_name"] for row in aggregated(what, clock, **arguments)}

    assert namespaces() == {"often", "rarely"}
    assert namespaces(p_min_executions=3) == {"often"}
    assert namespaces(p_namespace="rarely") == {"rarely"}
    assert namespaces(p_task_name="nothing") == set()
    assert namespaces(p_version="1.0.0", p_namespaces=["often"]) == {"often"}
    assert namespaces(p_namespaces=[]) == set()
    assert len(aggregated(what, clock, p_limit=1)) == 1
