"""Decisions and batches in a test's own thread: engine.md 14, scenarios D1 to D7."""

from typing import Any

import pytest

from orchestration.models import WorkflowStep, WorkflowStepEdge
from orchestration.testing import batch, decision, shape
from tests.factories.ticks import assert_invariants
from workers import (
    BatchConfig,
    BatchWorkerContext,
    Checkpoint,
    Decision,
    RetryableError,
    batch_analyzer,
    batch_worker,
    decision_handler,
)
from workers.testing import InlineRun, WorkerLost, run_inline

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _invariants(db):
    yield
    assert_invariants()


def parents(run: InlineRun, step: str) -> list[str]:
    """Return the names of the steps that a step waited for."""
    edges = WorkflowStepEdge.objects.filter(to_step__task=run.task_uuid, to_step__name=step)
    return sorted(edges.values_list("from_step__name", flat=True))


def ran(run: InlineRun) -> list[str]:
    """Return the names of the steps in the order in which they ran, one line for each dispatch."""
    return [each.step for each in run.dispatches]


# ------------------------------------------------------------ decisions


def approval() -> Any:
    """Return the approval of a purchase: who must agree depends on the amount."""
    graph = {
        "validate": [],
        "route": ["validate"],
        "auto": ["route"],
        "manager": ["route"],
        "finance": ["route"],
        "record": ["auto", "manager", "finance"],
    }
    route = {"type": "decision", "handler": {"callable": "test.route"}}
    return shape(
        "approval", graph, steps={"route": route, "record": {"type": "deferred_convergence"}}
    )


@decision_handler("test.route")
def route(context):
    amount = context.get_input("amount")
    if amount < 1000:
        return Decision.route(["auto"])
    return Decision.route(["manager"] if amount < 5000 else ["manager", "finance"])


@pytest.mark.parametrize(
    ("amount", "branches"),
    [(500, ["auto"]), (2500, ["manager"]), (10_000, ["manager", "finance"])],
)
def test_a_decision_takes_the_branches_it_names(amount, branches):
    seen = []

    def count_steps(step, attempt, number):
        seen.append(WorkflowStep.objects.count())

    run = run_inline(
        approval(), {"amount": amount}, handlers={"test.route": route}, on_dispatch=count_steps
    )

    run.assert_complete()
    assert ran(run) == ["validate", "route", *branches, "record"]
    assert seen[:2] == [2, 2]
    assert len(run.steps) == 3 + len(branches)
    assert parents(run, "record") == sorted(branches)
    assert run.result("record")["saw"] == sorted(["validate", "route", *branches])


def test_no_branch_ends_the_task_without_its_convergence():
    run = run_inline(decision(2), {"branches": []})

    run.assert_complete()
    assert list(run.steps) == ["start", "decide"]


def test_all_branches_are_taken_in_the_order_of_the_template():
    run = run_inline(decision(3))

    assert ran(run) == ["start", "decide", "branch_1", "branch_2", "branch_3", "join"]


def test_a_branch_that_does_not_exist_fails_the_decision():
    run = run_inline(decision(2), {"branches": ["branch_1", "branch_9"]})

    run.assert_blocked("decide", "decision_error", error_code="INVALID_DESCENDANT")
    assert list(run.steps) == ["start", "decide"]


def test_a_convergence_waits_for_a_decision_behind_a_decision():
    graph = {
        "first": ["start"],
        "start": [],
        "plain": ["first"],
        "second": ["first"],
        "deep": ["second"],
        "join": ["plain", "deep"],
    }
    steps = {
        name: {
            "type": "decision",
            "handler": {"callable": "test.decide", "initialization": {"branches": branches}},
        }
        for name, branches in {"first": ["plain", "second"], "second": ["deep"]}.items()
    }
    run = run_inline(
        shape("nested", graph, steps={**steps, "join": {"type": "deferred_convergence"}})
    )

    run.assert_complete()
    assert ran(run).count("join") == 1
    assert ran(run)[-1] == "join"
    assert parents(run, "join") == ["deep", "plain"]


# ------------------------------------------------------------ batches


def test_items_are_split_into_batches_and_added_up_once():
    template = batch(5, steps={"split": {"handler": _split(1000, 200)}})

    run = run_inline(template)

    run.assert_complete()
    instances = [f"work_{n:03}" for n in range(1, 6)]
    assert ran(run) == ["split", *instances, "collect"]
    assert {run.steps[name].template_name for name in instances} == {"work"}
    assert sum(run.result(name)["total"] for name in instances) == sum(range(1000))
    assert run.result("collect")["saw"] == ["split", *instances]
    assert parents(run, "collect") == instances


def _split(total: int, size: int) -> dict[str, Any]:
    return {
        "callable": "test.split",
        "initialization": {
            "worker_template_name": "work",
            "total_items": total,
            "batch_size": size,
        },
    }


def test_nothing_to_do_runs_a_placeholder_and_the_convergence():
    run = run_inline(batch(3), {"total_items": 0})

    run.assert_complete()
    assert ran(run) == ["split", "work_000", "collect"]


def test_nothing_to_do_without_a_worker_template_ends_the_task():
    split = {"callable": "test.split", "initialization": {"total_items": 0, "batch_size": 10}}

    run = run_inline(batch(3, steps={"split": {"handler": split}}))

    run.assert_complete()
    assert list(run.steps) == ["split"]


def test_a_decision_may_lead_to_batches_before_the_convergence():
    graph = {
        "start": [],
        "decide": ["start"],
        "quick": ["decide"],
        "split": ["decide"],
        "work": ["split"],
        "join": ["quick", "work"],
    }
    steps: dict[str, Any] = {
        "decide": {
            "type": "decision",
            "handler": {
                "callable": "test.decide",
                "initialization": {"branches": ["quick", "split"]},
            },
        },
        "split": {"type": "batchable", "handler": _split(20, 10)},
        "work": {"type": "batch_worker", "handler": {"callable": "test.add_up"}},
        "join": {"type": "deferred_convergence"},
    }

    run = run_inline(shape("mixed", graph, steps=steps))

    run.assert_complete()
    assert ran(run)[-1] == "join"
    assert parents(run, "join") == ["quick", "work_001", "work_002"]


# ------------------------------------------------------------ checkpoints in batches


def adding_up(every: int, fail_at: int | None = None) -> dict[str, Any]:
    """Return handlers that add up 1 to 100 with a checkpoint after so many numbers."""

    @batch_analyzer("test.split", "work")
    def split(context):
        return BatchConfig(100, 100)

    @batch_worker("test.add_up")
    def add_up(context, batch_context: BatchWorkerContext):
        done = batch_context.checkpoint_cursor or 0
        total = (batch_context.accumulated_results or {}).get("total", 0)
        for number in range(done + 1, min(done + every, 100) + 1):
            if number == fail_at and context.attempt == 1:
                raise RetryableError("once")
            total += number
        if done + every < 100:
            return Checkpoint(done + every, done + every, {"total": total})
        return {"total": total, "resumed_at": done}

    return {"test.split": split, "test.add_up": add_up}


def test_checkpoints_of_a_batch_are_dispatches_of_one_attempt():
    run = run_inline(batch(1), handlers=adding_up(25))

    step = run.steps["work_001"]
    assert (step.attempts, step.dispatches, step.result["total"]) == (1, 4, 5050)


def test_a_batch_that_fails_goes_on_from_its_last_checkpoint():
    run = run_inline(batch(1), handlers=adding_up(20, fail_at=51))

    run.assert_complete()
    step = run.steps["work_001"]
    assert (step.attempts, step.dispatches, step.result["total"]) == (2, 6, 5050)


def test_a_worker_that_dies_between_two_checkpoints_loses_nothing():
    def kill(step, attempt, number):
        if (step, number) == ("work_001", 3):
            raise WorkerLost

    run = run_inline(batch(1), handlers=adding_up(25), on_dispatch=kill)

    run.assert_complete()
    step = run.steps["work_001"]
    assert (step.attempts, step.dispatches, step.result["total"]) == (2, 5, 5050)
